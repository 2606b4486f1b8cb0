#include <cstdint>
#include <ctime>

#include "engine/clock.h"

namespace tunnel::engine {

namespace {

std::uint64_t read_clock(clockid_t clock) noexcept {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

// CLOCK_BOOTTIME counts the time asleep: a session must not outlive its age in a suspended laptop.
tunnel_time read_clocks() noexcept {
  return {.mono_ns = read_clock(CLOCK_BOOTTIME), .wall_ns = read_clock(CLOCK_REALTIME)};
}

}  // namespace tunnel::engine
