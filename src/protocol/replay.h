// replay.h — refuses datagrams whose counter was already accepted (RFC 6479, 8192 bits).
//
// One window per session, used after authentication succeeded, from the core's single thread.
// Counters older than the window are refused: losing a late packet is safe, accepting a copy is
// not.
#pragma once

#include <array>
#include <cstdint>

namespace tunnel::protocol {

class ReplayWindow {
 public:
  static constexpr std::uint64_t kBits = 8192;
  // How far behind the newest counter another may lie. One word is always being cleared.
  static constexpr std::uint64_t kWidth = kBits - 64;

  // True exactly once per counter below the message limit; records it. Call only with
  // authenticated counters.
  [[nodiscard]] bool accept(std::uint64_t counter) noexcept;

  // True when the counter is greater than every accepted one (or none was).
  bool is_newest(std::uint64_t counter) const noexcept { return counter >= next_; }

 private:
  std::uint64_t next_ = 0;  // one above the newest accepted counter
  std::array<std::uint64_t, kBits / 64> seen_{};
};

}  // namespace tunnel::protocol
