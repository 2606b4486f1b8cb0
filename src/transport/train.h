// train.h — which datagrams of a batch leave together.
//
// A train is one message that the kernel, or the network card, cuts into datagrams of one length,
// of which the last may be shorter (UDP_SEGMENT). What a train saves is the way of each datagram
// through the kernel: it costs hardly more than a single one. Pure: knows no socket.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "transport/train_limits.h"

namespace tunnel::transport {

// Kernels before 6.9 take 64 datagrams, and those before 5.16 count the headers of the whole among
// their bytes.
inline constexpr std::size_t kTrainDatagrams = 63;
// What one IPv4 packet can carry. IPv6 could carry 20 bytes more.
inline constexpr std::size_t kTrainBytes = 65'507;

// The packets of a train, in the order in which they leave. All have the length of the first; only
// the last may be shorter.
using Train = std::span<tunnel_packet* const>;

// Packets on their way to the socket, sorted into trains. Borrowed until clear().
class TrainPlan {
 public:
  static constexpr std::size_t kPackets = 128;

  [[nodiscard]] bool full() const noexcept { return count_ == kPackets; }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }

  // The next packet in order; not when full. It joins the last train to its remote from its local
  // address when its length allows; packets to others in between do not matter, because order is
  // kept for each destination alone.
  void add(tunnel_packet& packet, TrainLimits& limits) noexcept;

  // Calls `take(Train)` for each train in the order in which they shall leave. What is too much for
  // one train is divided evenly: 47 become 24 and 23.
  template <class Take>
  void for_each(Take take) const noexcept;

  void clear() noexcept;

 private:
  struct Run {  // packets that would be one train if a train could be endless
    std::uint8_t first, last, count;
    bool open;             // more may join
    std::uint32_t length;  // of all but the last
  };

  [[nodiscard]] bool joins(const Run& run, const tunnel_packet& packet) const noexcept;
  [[nodiscard]] Run* run_to(const tunnel_packet& packet) noexcept;

  std::size_t count_ = 0;
  std::size_t runs_count_ = 0;
  std::array<tunnel_packet*, kPackets> packets_;
  std::array<std::uint8_t, kPackets> next_;  // in the same run
  std::array<Run, kPackets> runs_;
  // By a hash of the destination: one above its last run, or that of another with this hash; 0 is
  // none.
  std::array<std::uint8_t, 64> latest_{};
};

// How many packets of this length fit one train, at least one.
constexpr std::size_t train_capacity(std::size_t length) noexcept {
  const std::size_t fit = length == 0 ? 1 : kTrainBytes / length;
  return fit < 1 ? 1 : fit > kTrainDatagrams ? kTrainDatagrams : fit;
}

template <class Take>
void TrainPlan::for_each(Take take) const noexcept {
  for (const Run& run : std::span(runs_).first(runs_count_)) {
    const std::size_t capacity = train_capacity(run.length);
    std::size_t trains = (run.count + capacity - 1) / capacity;
    std::size_t at = run.first;
    for (std::size_t left = run.count; left != 0; --trains) {
      std::array<tunnel_packet*, kTrainDatagrams> packets;
      const std::size_t share = (left + trains - 1) / trains;
      for (std::size_t i = 0; i < share; ++i, at = next_[at]) packets[i] = packets_[at];
      take(Train(packets.data(), share));
      left -= share;
    }
  }
}

}  // namespace tunnel::transport
