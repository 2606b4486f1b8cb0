#include "device/coalesce.h"

#include <algorithm>

#include "device/checksum.h"
#include "device/headers.h"

namespace tunnel::device {

using base::Bytes;

namespace {

using Kind = Segment::Kind;

// The identification of IPv4 says something only of packets that may be fragmented (RFC 6864). The
// kernel counts it up when it cuts a superpacket.
bool identification_continues(const Coalescer::Run& run, Bytes packet) noexcept {
  if (!is_ipv4(packet) || (packet[6] & 0x40) != 0) return true;
  const std::uint16_t first = base::load_be16(&run.first.packet[4]);
  return base::load_be16(&packet[4]) == static_cast<std::uint16_t>(first + run.count);
}

bool sequence_continues(const Coalescer::Run& run, const Reading& reading) noexcept {
  if (reading.segment.protocol != kTcp) return true;
  const std::size_t field = reading.segment.transport + kTcpSequence;
  const std::uint32_t first = base::load_be32(&run.first.packet[field]);
  return base::load_be32(&reading.packet[field]) == first + run.payload;
}

// Everything but the checksums, which are dear.
bool continues(const Coalescer::Run& run, const Reading& reading) noexcept {
  const Segment& segment = reading.segment;
  if (!run.open || segment.kind != Kind::merges) return false;
  if (run.count == Coalescer::kSegmentsMost) return false;
  if (segment.payload > run.first.segment.payload) return false;
  if (segment.header_size + run.payload + segment.payload > UINT16_MAX) return false;
  return sequence_continues(run, reading) && same_headers(run.first, reading) &&
         identification_continues(run, reading.packet);
}

}  // namespace

void Coalescer::plan(std::span<const tunnel_packet> packets, const Offloads& offloads) noexcept {
  offloads_ = offloads;
  count_ = 0;
  newest_.fill(kNone);
  for (std::size_t i = 0; i < packets.size(); ++i) {
    if (packets[i].verdict == TUNNEL_VERDICT_DELIVER) add(i, {packets[i].data, packets[i].length});
  }
}

void Coalescer::add(std::size_t index, Bytes packet) noexcept {
  Reading reading{packet, read_segment(packet)};
  Segment& segment = reading.segment;
  if (segment.kind == Kind::merges && !(segment.protocol == kTcp ? offloads_.tcp : offloads_.udp)) {
    segment.kind = Kind::alone;
  }
  std::uint8_t unknown = kNone;
  if (segment.kind == Kind::foreign) close_between(packet);
  if (!segment.of_flow()) return begin(index, reading, unknown);
  std::uint8_t& newest = newest_[flow_hash(packet, segment) % newest_.size()];
  const bool known = newest != kNone && same_flow(runs_[newest].first, reading);
  if (!known || !append(runs_[newest], index, reading)) begin(index, reading, newest);
}

void Coalescer::begin(std::size_t index, const Reading& reading, std::uint8_t& newest) noexcept {
  newest = static_cast<std::uint8_t>(count_);
  Run& run = runs_[count_++];
  run = {};
  run.first = reading;
  run.payload = reading.segment.payload;
  run.count = 1;
  run.head = run.tail = static_cast<std::uint8_t>(index);
  run.open = reading.segment.kind == Kind::merges && !reading.segment.push;
  run.push = reading.segment.push;
}

// A packet whose checksum is wrong stays as it is, alone, for the kernel to judge: a superpacket
// would get a right one.
bool Coalescer::append(Run& run, std::size_t index, const Reading& reading) noexcept {
  if (!continues(run, reading)) return false;
  if (!run.verified) run.verified = checksums_hold(run.first);
  if (!run.verified || !checksums_hold(reading)) return false;
  next_[run.tail] = static_cast<std::uint8_t>(index);
  run.tail = static_cast<std::uint8_t>(index);
  ++run.count;
  run.payload += reading.segment.payload;
  run.push = reading.segment.push;
  run.open = !run.push && reading.segment.payload == run.first.segment.payload;
  return true;
}

// A packet whose flow cannot be told may belong to any between its addresses, and must not be
// overtaken.
void Coalescer::close_between(Bytes packet) noexcept {
  for (Run& run : std::span(runs_).first(count_)) {
    if (run.open && same_addresses(run.first.packet, packet)) run.open = false;
  }
}

MergedHeader merge_headers(const Coalescer::Run& run) noexcept {
  const Segment& segment = run.first.segment;
  const bool tcp = segment.protocol == kTcp;
  MergedHeader merged;
  std::copy_n(run.first.packet.begin(), segment.header_size, merged.bytes.begin());
  const base::MutableBytes header(merged.bytes.data(), segment.header_size);
  const std::size_t total = segment.header_size + run.payload;
  const std::size_t length = total - segment.transport;
  set_ip_length(header.first(segment.transport), total);
  std::uint8_t* transport = &header[segment.transport];
  if (tcp && run.push) transport[kTcpFlags] |= kPsh;
  if (!tcp) base::store_be16(transport + kUdpLength, static_cast<std::uint16_t>(length));
  // What the kernel completes when it has to: the sum of the pseudo header.
  const std::size_t field = tcp ? kTcpChecksum : kUdpChecksum;
  const std::uint32_t pseudo = pseudo_sum(header, segment.protocol, length);
  base::store_be16(transport + field, fold(pseudo));
  merged.virtio.flags = kNeedsChecksum;
  merged.virtio.type = !tcp ? kUdpSegments : is_ipv4(header) ? kTcp4Segments : kTcp6Segments;
  merged.virtio.header_size = segment.header_size;
  merged.virtio.segment_size = segment.payload;
  merged.virtio.checksum_start = segment.transport;
  merged.virtio.checksum_offset = static_cast<std::uint16_t>(field);
  return merged;
}

}  // namespace tunnel::device
