#include "device/split.h"

#include <algorithm>
#include <cstring>

#include "device/checksum.h"
#include "device/headers.h"

namespace tunnel::device {

using base::Bytes;
using base::MutableBytes;

namespace {

// Size of the IP header when the packet is one of this type whose length is what its header says;
// 0 otherwise. Extension headers of IPv6 are not counted.
std::size_t ip_header_size(Bytes packet, std::uint8_t type) noexcept {
  const auto header = base::read_ip_header(packet);
  if (!header || header->total_length != packet.size()) return 0;
  const bool ipv4 = header->family == TUNNEL_FAMILY_IPV4;
  if (type == (ipv4 ? kTcp6Segments : kTcp4Segments)) return 0;
  return ipv4 ? (packet[0] & 0x0f) * std::size_t{4} : base::kIpv6HeaderSize;
}

// 0 when it is cut or too short.
std::size_t transport_header_size(Bytes packet, std::size_t at, std::uint8_t protocol) noexcept {
  if (protocol == kUdp) return kUdpHeaderSize;
  if (at + kTcpHeaderSize > packet.size()) return 0;
  const std::size_t size = tcp_header_size(&packet[at]);
  return size < kTcpHeaderSize ? 0 : size;
}

std::uint16_t checksum_place(std::uint8_t protocol) noexcept {
  return protocol == kTcp ? kTcpChecksum : kUdpChecksum;
}

}  // namespace

bool complete_checksum(const VirtioHeader& header, MutableBytes packet) noexcept {
  if ((header.flags & kNeedsChecksum) == 0) return true;
  const std::size_t field = std::size_t{header.checksum_start} + header.checksum_offset;
  if (field + 2 > packet.size()) return false;
  // The field holds the sum of the pseudo header, and is part of what is summed.
  const auto sum = static_cast<std::uint16_t>(~ones_sum(packet.subspan(header.checksum_start)));
  base::store_be16(&packet[field], sum == 0 ? 0xffff : sum);  // 0 would say: no checksum
  return true;
}

bool Splitter::begin(const VirtioHeader& header, MutableBytes packet) noexcept {
  packet_ = packet;
  index_ = header_size_ = segments_left_ = 0;
  if (packet.empty()) return false;
  if (header.type != kWhole) return begin_segments(header);
  if (!complete_checksum(header, packet)) return false;
  segment_size_ = packet.size();
  segments_left_ = 1;
  return true;
}

bool Splitter::begin_segments(const VirtioHeader& header) noexcept {
  const std::uint8_t type = header.type & static_cast<std::uint8_t>(~kEcnBit);
  const bool known = type == kTcp4Segments || type == kTcp6Segments || type == kUdpSegments;
  if (!known || header.segment_size == 0) return false;
  transport_ = ip_header_size(packet_, type);
  if (transport_ == 0) return false;
  if (!find_transport(header, type == kUdpSegments ? kUdp : kTcp)) return false;
  segment_size_ = header.segment_size;
  const std::size_t payload = packet_.size() - header_size_;
  segments_left_ = std::max<std::size_t>(1, (payload + segment_size_ - 1) / segment_size_);
  return true;
}

// Where the transport header begins is known from the checksum that is to be completed, also behind
// extension headers. A superpacket that was received and is forwarded may come without, when its
// checksums were good: then it has to begin right behind the IP header.
bool Splitter::find_transport(const VirtioHeader& header, std::uint8_t protocol) noexcept {
  const bool ipv4 = is_ipv4(packet_);
  const bool unsummed = (header.flags & kNeedsChecksum) != 0;
  const std::size_t ip_size = transport_;
  if (unsummed) transport_ = header.checksum_start;
  if (unsummed && header.checksum_offset != checksum_place(protocol)) return false;
  const bool direct = packet_[ipv4 ? 9 : 6] == protocol && transport_ == ip_size;
  const bool behind_extensions = !ipv4 && unsummed && transport_ > ip_size;
  if (!direct && !behind_extensions) return false;
  header_size_ = transport_ + transport_header_size(packet_, transport_, protocol);
  if (header_size_ == transport_ || header_size_ > packet_.size()) return false;
  protocol_ = protocol;
  const std::uint16_t field = base::load_be16(&packet_[transport_ + checksum_place(protocol)]);
  summed_ = protocol == kTcp || field != 0;
  // The kernel's field counts the length of the whole superpacket, which is no segment's.
  const auto length = static_cast<std::uint32_t>(packet_.size() - transport_);
  pseudo_ = unsummed ? field + (0xffff - length) : pseudo_sum(packet_, protocol, 0);
  return true;
}

std::size_t Splitter::next_length() const noexcept {
  const std::size_t payload = packet_.size() - header_size_ - index_ * segment_size_;
  return header_size_ + std::min(payload, segment_size_);
}

void Splitter::next(MutableBytes place) noexcept {
  const std::size_t length = next_length();
  const std::size_t fits = std::min(length, place.size());
  const std::size_t head = std::min(fits, header_size_);
  std::memcpy(place.data(), packet_.data(), head);
  const std::uint8_t* payload = packet_.data() + header_size_ + index_ * segment_size_;
  std::memcpy(place.data() + head, payload, fits - head);
  --segments_left_;
  if (header_size_ != 0 && fits == length) complete(place.first(length));
  ++index_;
}

// Makes a packet of its own of a segment that still has the header of the superpacket.
void Splitter::complete(MutableBytes segment) noexcept {
  if (is_ipv4(segment)) {
    const std::uint16_t id = base::load_be16(&segment[4]);
    base::store_be16(&segment[4], static_cast<std::uint16_t>(id + index_));
    set_ip_length(segment.first((segment[0] & 0x0f) * std::size_t{4}), segment.size());
  } else {
    set_ip_length(segment.first(base::kIpv6HeaderSize), segment.size());
  }
  std::uint8_t* transport = &segment[transport_];
  const std::size_t length = segment.size() - transport_;
  if (protocol_ == kTcp) complete_tcp(transport);
  if (protocol_ == kUdp) {
    base::store_be16(transport + kUdpLength, static_cast<std::uint16_t>(length));
  }
  if (!summed_) return;
  std::uint8_t* field = transport + checksum_place(protocol_);
  base::store_be16(field, 0);
  const std::uint32_t start = pseudo_ + static_cast<std::uint32_t>(length);
  const auto sum = static_cast<std::uint16_t>(~ones_sum(segment.subspan(transport_), start));
  base::store_be16(field, sum == 0 && protocol_ == kUdp ? 0xffff : sum);
}

void Splitter::complete_tcp(std::uint8_t* tcp) const noexcept {
  const std::uint32_t sequence = base::load_be32(tcp + kTcpSequence);
  const auto passed = static_cast<std::uint32_t>(index_ * segment_size_);
  base::store_be32(tcp + kTcpSequence, sequence + passed);
  const unsigned not_last = segments_left_ != 0 ? kFin | kPsh : 0u;
  const unsigned not_first = index_ != 0 ? kCwr : 0u;
  tcp[kTcpFlags] &= static_cast<std::uint8_t>(~(not_last | not_first));
}

}  // namespace tunnel::device
