// checksum.h — the Internet checksum (RFC 1071) at the speed of the packet path.
//
// Every byte that passes a TUN with offloads is summed once, so this is written for the vectors of
// the processor; base::internet_checksum() is the plain one, for headers and for tests.
#pragma once

#include <cstdint>

#include "base/base.h"

namespace tunnel::device {

// Ones' complement sum of the bytes as 16-bit words in network order, an odd last byte padded with
// zero, added to an unfolded start value. Folded, not complemented.
[[nodiscard]] std::uint16_t ones_sum(base::Bytes bytes, std::uint32_t start = 0) noexcept;

// Folds the carries of a sum back into its 16 bits.
[[nodiscard]] constexpr std::uint16_t fold(std::uint64_t sum) noexcept {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

}  // namespace tunnel::device
