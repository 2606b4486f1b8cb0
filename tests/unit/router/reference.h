// reference.h — allowed IPs as a plain list, slow and obvious, and ways to draw prefixes.
#pragma once

#include <tunnel/packet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <vector>

#include "router/router.h"

namespace tunnel::router::test {

using Address = std::array<std::uint8_t, 16>;

inline bool bit(const std::uint8_t* bytes, unsigned index) {
  return (bytes[index / 8] >> (7 - index % 8) & 1) != 0;
}

inline bool holds(const tunnel_prefix& prefix, std::uint8_t family, const std::uint8_t* address) {
  if (prefix.family != family) return false;
  for (unsigned i = 0; i < prefix.length; ++i) {
    if (bit(prefix.bytes, i) != bit(address, i)) return false;
  }
  return true;
}

inline bool same(const tunnel_prefix& a, const tunnel_prefix& b) {
  return a.length == b.length && holds(a, b.family, b.bytes);
}

// The specification of PrefixTable.
class Reference {
 public:
  void insert(const tunnel_prefix& prefix, Owner owner) {
    for (auto& row : rows_) {
      if (same(row.prefix, prefix)) return void(row.owner = owner);
    }
    rows_.push_back({prefix, owner});
  }
  bool remove(const tunnel_prefix& prefix, Owner owner) {
    return std::erase_if(rows_, [&](const Row& row) {
             return row.owner == owner && same(row.prefix, prefix);
           }) != 0;
  }
  void remove_all(Owner owner) {
    std::erase_if(rows_, [&](const Row& row) { return row.owner == owner; });
  }
  Owner find(std::uint8_t family, const std::uint8_t* address) const {
    const Row* best = nullptr;
    for (const auto& row : rows_) {
      if (!holds(row.prefix, family, address)) continue;
      if (best == nullptr || row.prefix.length > best->prefix.length) best = &row;
    }
    return best == nullptr ? kNobody : best->owner;
  }
  std::vector<tunnel_prefix> of(Owner owner) const {
    std::vector<tunnel_prefix> result;
    for (const auto& row : rows_) {
      if (row.owner == owner) result.push_back(row.prefix);
    }
    return result;
  }
  std::size_t size() const { return rows_.size(); }
  const tunnel_prefix& prefix(std::size_t i) const { return rows_[i].prefix; }
  Owner owner(std::size_t i) const { return rows_[i].owner; }

 private:
  struct Row {
    tunnel_prefix prefix;
    Owner owner;
  };
  std::vector<Row> rows_;
};

// A generator whose numbers are exactly `unsigned`.
class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  unsigned operator()() { return static_cast<unsigned>(engine_()); }

 private:
  std::mt19937 engine_;
};

inline std::uint8_t random_byte(Random& random) {
  return static_cast<std::uint8_t>(random());
}

// Addresses from a small alphabet, so that prefixes nest, overlap and share long paths.
inline Address crowded_address(Random& random) {
  static constexpr std::array<std::uint8_t, 6> kAlphabet{0x00, 0x01, 0x80, 0xc0, 0xfe, 0xff};
  Address address;
  for (auto& byte : address) {
    byte = random() % 8 != 0 ? std::uint8_t{0x0a} : kAlphabet[random() % kAlphabet.size()];
  }
  if (random() % 16 == 0) address[random() % 16] = random_byte(random);
  return address;
}

inline tunnel_prefix crowded_prefix(Random& random) {
  tunnel_prefix prefix{};
  const bool ipv4 = random() % 2 == 0;
  const unsigned bits = ipv4 ? 32 : 128;
  prefix.family = ipv4 ? TUNNEL_FAMILY_IPV4 : TUNNEL_FAMILY_IPV6;
  const unsigned kind = random() % 8;
  unsigned length = random() % (bits + 1);
  if (kind == 0) length = bits;
  if (kind == 1) length = length / 8 * 8;
  if (kind == 2) length = bits - random() % 9;
  prefix.length = static_cast<std::uint8_t>(length);
  const auto address = crowded_address(random);
  std::copy_n(address.begin(), bits / 8, prefix.bytes);  // host bits too: they must not matter
  return prefix;
}

// An address inside the prefix or, one time in four, just outside.
inline Address address_near(const tunnel_prefix& prefix, Random& random) {
  Address address = crowded_address(random);
  const unsigned bits = prefix.family == TUNNEL_FAMILY_IPV4 ? 32 : 128;
  for (unsigned i = 0; i < prefix.length; ++i) {
    const auto mask = static_cast<std::uint8_t>(0x80 >> i % 8);
    address[i / 8] =
        static_cast<std::uint8_t>((address[i / 8] & ~mask) | (prefix.bytes[i / 8] & mask));
  }
  if (random() % 4 == 0) {
    const unsigned i = random() % bits;
    address[i / 8] = static_cast<std::uint8_t>(address[i / 8] ^ 0x80 >> i % 8);
  }
  return address;
}

}  // namespace tunnel::router::test
