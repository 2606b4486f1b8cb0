// timestamp.h — TAI64N stamps of initiations (whitepaper 5.1, 5.4.2).
//
// A stamp must only ever grow. Nanoseconds are whitened to 2^24 ns so that a stamp is no clock
// oracle.
#pragma once

#include <array>
#include <cstdint>

namespace tunnel::protocol {

using Timestamp = std::array<std::uint8_t, 12>;  // big-endian: array comparison orders it

inline constexpr std::uint64_t kTimestampStep = std::uint64_t{1} << 24;

Timestamp encode_timestamp(std::uint64_t wall_ns) noexcept;

// Makes strictly growing stamps even when the wall clock stands still or steps back.
class TimestampSource {
 public:
  // Nothing at or below `floor_ns` (whitened) is ever sent.
  explicit TimestampSource(std::uint64_t floor_ns = 0) noexcept : last_(floor_ns) {}

  Timestamp next(std::uint64_t wall_ns) noexcept;

  // Wall time behind the newest stamp. An embedder without a clock battery stores last() + 10 min.
  std::uint64_t last() const noexcept { return last_; }

 private:
  std::uint64_t last_;  // whitened
};

}  // namespace tunnel::protocol
