// flight.h — datagrams on their way to one end of a memory pair.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/base.h"

namespace tunnel::transport {

// A bounded queue ordered by arrival. Its slots take memory when a datagram first needs it and keep
// it, so a queue of 4,096 costs what was really under way at once. Not synchronised.
class Flight {
 public:
  explicit Flight(std::uint32_t capacity);

  [[nodiscard]] bool full() const noexcept { return free_.empty(); }
  [[nodiscard]] bool due(std::uint64_t now) const noexcept {
    return !arrivals_.empty() && arrivals_.front().time <= now;
  }

  // Takes a copy. Not when full. False when there is no memory for it.
  bool send(base::Bytes datagram, std::uint64_t arrival, bool overtakes) noexcept;

  // Lays the next datagram into the slab; only when one is due. False when it does not fit behind
  // those that are there; `cut` shortens it instead.
  bool receive(base::SlabCursor& cursor, tunnel_packet& packet, bool cut) noexcept;

 private:
  struct Slot {
    std::unique_ptr<std::uint8_t[]> bytes;
    std::size_t room = 0;
    std::uint32_t length = 0;
  };
  struct Arrival {
    std::uint64_t time;
    std::uint64_t sequence;  // of sending; decides between equal times
    std::uint32_t slot;
  };

  static bool later(const Arrival& a, const Arrival& b) noexcept;
  static bool store(Slot& slot, base::Bytes datagram) noexcept;
  void exchange_with_predecessor(Arrival& arrival) noexcept;

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<Arrival> arrivals_;  // a heap, the earliest in front
  std::uint64_t sent_ = 0;
};

}  // namespace tunnel::transport
