#include "device/segment.h"

#include <cstring>

#include "device/checksum.h"
#include "device/headers.h"

namespace tunnel::device {

using base::Bytes;

namespace {

using Kind = Segment::Kind;

constexpr std::uint8_t kMergingFlags = kAck | kPsh | kEce;
constexpr std::uint64_t kMixer = 0x9e3779b97f4a7c15;

bool same_bytes(Bytes a, Bytes b, std::size_t from, std::size_t to) noexcept {
  return std::memcmp(&a[from], &b[from], to - from) == 0;
}

void read_tcp(Bytes packet, Segment& segment) noexcept {
  const std::uint8_t* tcp = &packet[segment.transport];
  const std::size_t header_size = segment.transport + tcp_header_size(tcp);
  segment.kind = Kind::alone;
  if (header_size < segment.transport + kTcpHeaderSize || header_size >= packet.size()) return;
  segment.header_size = static_cast<std::uint16_t>(header_size);
  segment.payload = static_cast<std::uint16_t>(packet.size() - header_size);
  segment.push = (tcp[kTcpFlags] & kPsh) != 0;
  const bool plain = (tcp[kTcpFlags] & ~kMergingFlags) == 0 && (tcp[kTcpFlags] & kAck) != 0;
  const bool reserved = (tcp[kTcpDataOffset] & 0x0f) != 0;
  if (plain && !reserved) segment.kind = Kind::merges;
}

void read_udp(Bytes packet, Segment& segment) noexcept {
  const std::size_t length = packet.size() - segment.transport;
  segment.kind = Kind::alone;
  segment.header_size = static_cast<std::uint16_t>(segment.transport + kUdpHeaderSize);
  segment.payload = static_cast<std::uint16_t>(length - kUdpHeaderSize);
  const bool honest = base::load_be16(&packet[segment.transport + kUdpLength]) == length;
  if (honest && segment.payload != 0) segment.kind = Kind::merges;
}

// Behind a fixed IP header, and no fragment: then the ports are where they should be.
bool plain_ip(Bytes packet) noexcept {
  if (!is_ipv4(packet)) return true;
  constexpr unsigned kMoreAndOffset = 0x3fff;
  return (packet[0] & 0x0f) == 5 && (base::load_be16(&packet[6]) & kMoreAndOffset) == 0;
}

}  // namespace

Segment read_segment(Bytes packet) noexcept {
  Segment segment;
  const auto header = base::read_ip_header(packet);
  if (!header) return segment;
  segment.kind = Kind::foreign;
  if (header->total_length != packet.size() || packet.size() > UINT16_MAX) return segment;
  if (!plain_ip(packet)) return segment;
  const bool ipv4 = is_ipv4(packet);
  segment.transport = ipv4 ? base::kIpv4HeaderSize : base::kIpv6HeaderSize;
  segment.protocol = packet[ipv4 ? 9 : 6];
  const std::size_t length = packet.size() - segment.transport;
  if (segment.protocol == kTcp && length >= kTcpHeaderSize) read_tcp(packet, segment);
  if (segment.protocol == kUdp && length >= kUdpHeaderSize) read_udp(packet, segment);
  return segment;
}

std::uint32_t flow_hash(Bytes packet, const Segment& segment) noexcept {
  const Bytes both = addresses(packet);
  std::uint64_t mixed = base::load_be32(&packet[segment.transport]) ^ segment.protocol;
  for (std::size_t i = 0; i < both.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, &both[i], 8);
    mixed = (mixed ^ word) * kMixer;
    mixed ^= mixed >> 32;
  }
  return static_cast<std::uint32_t>(mixed);
}

bool same_addresses(Bytes a, Bytes b) noexcept {
  const Bytes of_a = addresses(a), of_b = addresses(b);
  return of_a.size() == of_b.size() && std::memcmp(of_a.data(), of_b.data(), of_a.size()) == 0;
}

bool same_flow(const Reading& a, const Reading& b) noexcept {
  const std::size_t at = a.segment.transport;
  if (at != b.segment.transport || a.segment.protocol != b.segment.protocol) return false;
  return same_addresses(a.packet, b.packet) && same_bytes(a.packet, b.packet, at, at + 4);
}

namespace {

bool same_ip(Bytes a, Bytes b) noexcept {
  if (is_ipv4(a)) {  // version and type of service; flags; time to live
    return same_bytes(a, b, 0, 2) && same_bytes(a, b, 6, 9);
  }
  return same_bytes(a, b, 0, 4) && a[7] == b[7];  // version, class and flow label; hop limit
}

bool same_tcp(const Reading& a, const Reading& b) noexcept {
  const std::size_t at = a.segment.transport;
  const auto flags = [at](Bytes packet) { return packet[at + kTcpFlags] & ~kPsh; };
  return flags(a.packet) == flags(b.packet) &&
         same_bytes(a.packet, b.packet, at + kTcpAcknowledged, at + kTcpFlags) &&
         same_bytes(a.packet, b.packet, at + kTcpWindow, at + kTcpChecksum) &&
         same_bytes(a.packet, b.packet, at + kTcpUrgent, a.segment.header_size);
}

bool without_checksum(const Reading& reading) noexcept {
  if (reading.segment.protocol != kUdp) return false;
  return base::load_be16(&reading.packet[reading.segment.transport + kUdpChecksum]) == 0;
}

}  // namespace

bool same_headers(const Reading& a, const Reading& b) noexcept {
  if (a.segment.header_size != b.segment.header_size || !same_ip(a.packet, b.packet)) return false;
  if (a.segment.protocol == kTcp) return same_tcp(a, b);
  return without_checksum(a) == without_checksum(b);
}

bool checksums_hold(const Reading& reading) noexcept {
  const auto& [packet, segment] = reading;
  if (is_ipv4(packet) && ones_sum(packet.first(segment.transport)) != 0xffff) return false;
  if (without_checksum(reading)) return is_ipv4(packet);
  const Bytes transport = packet.subspan(segment.transport);
  const std::uint32_t start = pseudo_sum(packet, segment.protocol, transport.size());
  return ones_sum(transport, start) == 0xffff;
}

}  // namespace tunnel::device
