// counts.h — what the engine counted: written by its thread, read by any.
#pragma once

#include <tunnel/engine.h>

#include <array>
#include <atomic>
#include <cstdint>

namespace tunnel::engine {

// One writer, so an addition needs no atomic read-modify-write on the packet path.
class Count {
 public:
  void add(std::uint64_t n) noexcept { value_.store(get() + n, std::memory_order_relaxed); }
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// One side of the engine: its device or its transport.
struct SideCounts {
  Count reads;
  Count packets_in;
  Count packets_out;
  std::array<Count, TUNNEL_DROP_COUNT> drops;

  // A verdict that is no drop reason is counted as TUNNEL_DROP_IO.
  void drop(std::int32_t verdict) noexcept;
};

struct Counts {
  Count wakeups;
  Count memory_bytes;
  SideCounts device;
  SideCounts transport;

  // Everything but `size` and `running`.
  void copy_to(tunnel_engine_counters& counters) const noexcept;
};

}  // namespace tunnel::engine
