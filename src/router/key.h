// key.h — an address or prefix as the trie sees it: a row of bits, the first one on top.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/base.h"

namespace tunnel::router {

// Depths in the trie are multiples of six and count from four zero bits before the address. So the
// last node on the way ends where the address ends (4 + 32 and 4 + 128 are multiples of six), and
// 64 neighbouring hosts share one node.
inline constexpr unsigned kLead = 4;

struct Ipv4Key {
  static constexpr unsigned kBits = 32;
  std::uint32_t bits = 0;

  bool operator==(const Ipv4Key&) const noexcept = default;

  static Ipv4Key read(const std::uint8_t* address) noexcept { return {base::load_be32(address)}; }
  void write(std::uint8_t* address) const noexcept { base::store_be32(address, bits); }

  // The six bits at `depth`, which is below kLead + kBits.
  unsigned six(unsigned depth) const noexcept {
    return static_cast<unsigned>(std::uint64_t{bits} << (32 - kLead) << depth >> 58);
  }
  // The first `length` bits (1-32) as a number.
  std::size_t top(unsigned length) const noexcept { return bits >> (kBits - length); }
  static Ipv4Key with_top(std::size_t value, unsigned length) noexcept {
    return {static_cast<std::uint32_t>(value << (kBits - length))};
  }
  // The first `length` bits, then zeros.
  Ipv4Key first(unsigned length) const noexcept {
    return length == 0 ? Ipv4Key{} : Ipv4Key{bits & UINT32_MAX << (kBits - length)};
  }
};

struct Ipv6Key {
  static constexpr unsigned kBits = 128;
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  bool operator==(const Ipv6Key&) const noexcept = default;

  static Ipv6Key read(const std::uint8_t* address) noexcept {
    return {base::load_be64(address), base::load_be64(address + 8)};
  }
  void write(std::uint8_t* address) const noexcept {
    base::store_be64(address, high);
    base::store_be64(address + 8, low);
  }

  unsigned six(unsigned depth) const noexcept {
    if (depth == 0) return static_cast<unsigned>(high >> (58 + kLead));
    const unsigned start = depth - kLead;
    if (start >= 64) return static_cast<unsigned>(low << (start - 64) >> 58);
    return static_cast<unsigned>((high << start | low >> (64 - start)) >> 58);
  }
  // As for IPv4, up to 64 bits.
  std::size_t top(unsigned length) const noexcept { return high >> (64 - length); }
  static Ipv6Key with_top(std::size_t value, unsigned length) noexcept {
    return {std::uint64_t{value} << (64 - length), 0};
  }
  Ipv6Key first(unsigned length) const noexcept {
    if (length == 0) return {};
    if (length <= 64) return {high & UINT64_MAX << (64 - length), 0};
    return {high, low & UINT64_MAX << (128 - length)};
  }
};

// Leading bits in which two keys agree; kBits when they are equal.
inline unsigned common_bits(Ipv4Key a, Ipv4Key b) noexcept {
  return static_cast<unsigned>(std::countl_zero(a.bits ^ b.bits));
}

inline unsigned common_bits(const Ipv6Key& a, const Ipv6Key& b) noexcept {
  if (a.high != b.high) return static_cast<unsigned>(std::countl_zero(a.high ^ b.high));
  return 64 + static_cast<unsigned>(std::countl_zero(a.low ^ b.low));
}

}  // namespace tunnel::router
