// coalesce.cpp — packets of peers, which may have any bytes. What is merged is cut again and has to
// be what it was; no packet is lost, and none overtakes another of its flow.
#include "device/coalesce.h"

#include <cstring>
#include <vector>

#include "device/checksum.h"
#include "device/headers.h"
#include "device/split.h"
#include "fuzz/input.h"

namespace device = tunnel::device;
using device::Coalescer;
using tunnel::fuzz::expect;
using Bytes = std::vector<std::uint8_t>;

namespace {

// Makes the checksums of a packet right, so that the fuzzer need not find them.
void mend(Bytes& packet) {
  const auto segment = device::read_segment(packet);
  if (!segment.of_flow() || segment.header_size == 0) return;
  device::set_ip_length(tunnel::base::MutableBytes(packet).first(segment.transport), packet.size());
  std::uint8_t* transport = &packet[segment.transport];
  std::uint8_t* field = transport + (segment.protocol == device::kTcp ? 16 : 6);
  const std::size_t length = packet.size() - segment.transport;
  tunnel::base::store_be16(field, 0);
  const auto start = device::pseudo_sum(packet, segment.protocol, length);
  const auto sum = static_cast<std::uint16_t>(~device::ones_sum({transport, length}, start));
  tunnel::base::store_be16(field, sum == 0 ? 0xffff : sum);
}

// What a sender would make of the last packet: the next of its flow.
void proceed(Bytes& packet) {
  const auto segment = device::read_segment(packet);
  if (segment.kind != device::Segment::Kind::merges) return;
  if (packet[0] >> 4 == 4) {
    const auto id = tunnel::base::load_be16(&packet[4]);
    tunnel::base::store_be16(&packet[4], static_cast<std::uint16_t>(id + 1));
  }
  if (segment.protocol != device::kTcp) return;
  std::uint8_t* sequence = &packet[segment.transport + device::kTcpSequence];
  tunnel::base::store_be32(sequence, tunnel::base::load_be32(sequence) + segment.payload);
}

// Either any bytes, or the continuation of an earlier packet with a few bytes changed.
Bytes next_packet(tunnel::fuzz::Input& input, const std::vector<Bytes>& earlier) {
  const std::uint8_t how = input.byte();
  Bytes packet;
  if (earlier.empty() || how % 4 == 0) {
    const auto bytes = input.bytes<64>();
    packet.assign(bytes.begin(), bytes.begin() + (how % 8 == 0 ? 64 : input.byte() % 65));
  } else {
    packet = earlier[earlier.size() - 1 - (how >> 4) % earlier.size()];
    proceed(packet);
    for (std::uint8_t changes = how / 4 % 4; changes != 0 && !packet.empty(); --changes) {
      const std::size_t at = input.byte();
      packet[at % packet.size()] ^= input.byte();
    }
  }
  if (how % 16 != 3) mend(packet);
  return packet;
}

// Both zeros of ones' complement are right where a sum is zero.
void one_zero(std::uint8_t* field) {
  if (tunnel::base::load_be16(field) == 0xffff) tunnel::base::store_be16(field, 0);
}

// The bytes without what may change: the identification of a packet that is not fragmented, and the
// checksum of a datagram that had none.
Bytes essence(Bytes packet, const device::Segment& segment, bool unsummed) {
  if (packet[0] >> 4 == 4) {
    if ((packet[6] & 0x40) != 0) std::memset(&packet[4], 0, 2);
    if ((packet[6] & 0x40) != 0) std::memset(&packet[10], 0, 2);
    one_zero(&packet[10]);
  }
  const std::size_t offset = segment.protocol == device::kTcp ? 16 : 6;
  std::uint8_t* field = &packet[segment.transport + offset];
  one_zero(field);
  if (unsummed) std::memset(field, 0, 2);
  return packet;
}

struct Plan {
  std::vector<Bytes> bytes;
  std::vector<tunnel_packet> packets;
  std::vector<std::size_t> position;  // of each packet in what is written
  Coalescer coalescer;

  void add(Bytes packet) {
    bytes.push_back(std::move(packet));
    packets.emplace_back();
    packets.back().verdict = TUNNEL_VERDICT_DELIVER;
  }
  void make(const device::Offloads& offloads) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      packets[i].data = bytes[i].data();
      packets[i].length = static_cast<std::uint32_t>(bytes[i].size());
    }
    coalescer.plan(packets, offloads);
    position.assign(bytes.size(), SIZE_MAX);
  }
};

void check_run(Plan& plan, const Coalescer::Run& run, std::size_t& written) {
  Bytes merged;
  std::vector<std::size_t> indices;
  std::size_t i = run.head;
  for (unsigned left = run.count; left != 0; --left, i = plan.coalescer.next(i)) {
    expect(plan.position[i] == SIZE_MAX, "no packet is written twice");
    plan.position[i] = written++;
    indices.push_back(i);
  }
  if (run.count == 1) return;
  const auto header = device::merge_headers(run);
  const std::size_t size = run.first.segment.header_size;
  merged.assign(header.bytes.begin(), header.bytes.begin() + static_cast<std::ptrdiff_t>(size));
  for (const std::size_t each : indices) {
    const auto from = plan.bytes[each].begin() + static_cast<std::ptrdiff_t>(size);
    merged.insert(merged.end(), from, plan.bytes[each].end());
  }
  device::Splitter splitter;
  expect(splitter.begin(header.virtio, merged), "a superpacket can be cut");
  expect(splitter.segments_left() == run.count, "into as many packets as it has");
  for (const std::size_t each : indices) {
    Bytes segment(splitter.next_length());
    splitter.next(segment);
    const device::Segment& first = run.first.segment;
    const Bytes& sent = plan.bytes[each];
    const std::size_t field = std::size_t{first.transport} + 6;
    const bool unsummed =
        first.protocol == device::kUdp && sent[field] == 0 && sent[field + 1] == 0;
    const bool same = essence(segment, first, unsummed) == essence(sent, first, unsummed);
    expect(same, "which are what they were");
  }
}

void check_order(const Plan& plan) {
  std::vector<device::Reading> readings;
  for (const Bytes& packet : plan.bytes) readings.push_back({packet, device::read_segment(packet)});
  using Kind = device::Segment::Kind;
  for (std::size_t j = 0; j < readings.size(); ++j) {
    for (std::size_t i = 0; i < j; ++i) {
      const auto &a = readings[i], &b = readings[j];
      if (a.segment.kind == Kind::broken || b.segment.kind == Kind::broken) continue;
      const bool foreign = a.segment.kind == Kind::foreign || b.segment.kind == Kind::foreign;
      const bool together =
          foreign ? device::same_addresses(a.packet, b.packet) : device::same_flow(a, b);
      expect(!together || plan.position[i] < plan.position[j], "nothing overtakes in its flow");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tunnel::fuzz::Input input(data, size);
  Plan plan;
  const device::Offloads offloads{true, input.byte() % 4 != 0};
  while (!input.empty() && plan.bytes.size() < Coalescer::kPacketsMost) {
    plan.add(next_packet(input, plan.bytes));
  }
  plan.make(offloads);
  std::size_t written = 0;
  for (const auto& run : plan.coalescer.runs()) check_run(plan, run, written);
  expect(written == plan.bytes.size(), "every packet is written");
  check_order(plan);
  return 0;
}
