// coalesce.h — plans which packets of one write reach the interface as one superpacket.
//
// Pure: reads packets, touches none. A run is a row of packets of one flow that continue each other
// so closely that the kernel, cutting the run, would make the same packets again. Packets of other
// flows may stand between them. Runs come in the order of their first packets, and a packet that
// does not continue its flow's run ends it: so nothing overtakes within a flow.
//
//   for each packet, in order: read it -> find its flow's newest run -> append, or begin a run
#pragma once

#include <array>
#include <span>

#include "base/base.h"
#include "device/offloads.h"
#include "device/segment.h"
#include "device/virtio.h"

namespace tunnel::device {

class Coalescer {
 public:
  static constexpr std::size_t kPacketsMost = 128;  // of one plan
  static constexpr std::size_t kSegmentsMost = 64;  // of one run: what every kernel takes

  struct Run {
    Reading first;
    std::uint32_t payload = 0;  // bytes of all packets
    std::uint8_t count = 0;
    std::uint8_t head = 0;  // indices of its first and last packet
    std::uint8_t tail = 0;
    bool open = false;      // may be continued
    bool verified = false;  // the checksums of `first` hold
    bool push = false;      // its last packet has PSH
  };

  // Plans anew: the packets that are to be delivered, at most kPacketsMost. They are borrowed until
  // the last use of the plan.
  void plan(std::span<const tunnel_packet> packets, const Offloads& offloads) noexcept;

  [[nodiscard]] std::span<const Run> runs() const noexcept { return {runs_.data(), count_}; }
  // Index of the packet that follows this one in its run. Not for the last of a run.
  [[nodiscard]] std::size_t next(std::size_t packet) const noexcept { return next_[packet]; }

 private:
  static constexpr std::uint8_t kNone = 0xff;

  void add(std::size_t index, base::Bytes packet) noexcept;
  void begin(std::size_t index, const Reading& reading, std::uint8_t& newest) noexcept;
  bool append(Run& run, std::size_t index, const Reading& reading) noexcept;
  void close_between(base::Bytes packet) noexcept;

  Offloads offloads_;
  std::size_t count_ = 0;
  std::array<Run, kPacketsMost> runs_;
  std::array<std::uint8_t, kPacketsMost> next_;
  // By flow hash: the newest run of a flow. When two flows meet here, the older one is forgotten,
  // and merges less.
  std::array<std::uint8_t, 128> newest_;
};

// The header of a run's superpacket: what stands before the payloads of all its packets.
struct MergedHeader {
  static constexpr std::size_t kMost = 40 + 60;

  VirtioHeader virtio;
  std::array<std::uint8_t, kMost> bytes;
};

// Of a run of several packets.
MergedHeader merge_headers(const Coalescer::Run& run) noexcept;

}  // namespace tunnel::device
