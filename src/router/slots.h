// slots.h — the contents of one trie node: what hangs below each value of six address bits.
//
// A node may have 64 children and 63 prefixes that end inside its six bits. Two words say which
// exist; their 32-bit references lie packed in one array, children first: in the node itself while
// they are few, so that a lookup finds all it needs in one cache line. A prefix of `bits` (0-5)
// leading bits has the number (1 << bits) + value of those bits, so a longer prefix has a higher
// number.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "router/pool.h"

namespace tunnel::router {

constexpr unsigned prefix_number(unsigned six, unsigned bits) noexcept {
  return (1u << bits) + (six >> (6 - bits));
}

// kCovering[six / 2]: the numbers of all prefixes (of 0-5 bits) that hold the six bits.
inline constexpr auto kCovering = [] {
  std::array<std::uint64_t, 32> table{};
  for (unsigned i = 0; i < table.size(); ++i) {
    for (unsigned bits = 0; bits <= 5; ++bits) {
      table[i] |= std::uint64_t{1} << prefix_number(i * 2, bits);
    }
  }
  return table;
}();

// What makes a node of each family 64 bytes long.
inline constexpr unsigned kNearIpv4 = 8;
inline constexpr unsigned kNearIpv6 = 6;

// With room for kNear references inside.
template <unsigned kNear>
class Slots {
 public:
  Slots() noexcept = default;
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;
  ~Slots() { clear(); }

  unsigned child_count() const noexcept { return count(children_); }
  unsigned prefix_count() const noexcept { return count(prefixes_); }

  // References, kNone where nothing is.
  std::uint32_t child(unsigned six) const noexcept {
    return has(children_, six) ? refs()[rank(children_, six)] : kNone;
  }
  std::uint32_t prefix(unsigned number) const noexcept {
    return has(prefixes_, number) ? refs()[child_count() + rank(prefixes_, number)] : kNone;
  }
  // Number of the longest prefix of this node that holds the six bits; 0 = none.
  unsigned longest(unsigned six) const noexcept {
    const std::uint64_t hits = prefixes_ & kCovering[six / 2];
    return hits == 0 ? 0 : 63u - static_cast<unsigned>(std::countl_zero(hits));
  }
  // The same among prefixes shorter than `bits` (0-5).
  unsigned longest(unsigned six, unsigned bits) const noexcept {
    const std::uint64_t hits = prefixes_ & kCovering[six / 2] & (mask(1u << bits) - 1);
    return hits == 0 ? 0 : 63u - static_cast<unsigned>(std::countl_zero(hits));
  }
  // The first reference; for a node that has one.
  std::uint32_t first() const noexcept { return refs()[0]; }

  // Puts a reference where nothing was. False: out of memory, nothing changed.
  [[nodiscard]] bool add_child(unsigned six, std::uint32_t ref) noexcept;
  [[nodiscard]] bool add_prefix(unsigned number, std::uint32_t ref) noexcept;
  // Changes what exists; these need no memory.
  void replace_child(unsigned six, std::uint32_t ref) noexcept;
  void remove_child(unsigned six) noexcept;
  void remove_prefix(unsigned number) noexcept;
  void clear() noexcept;

  std::size_t memory_bytes() const noexcept;  // beyond the object itself

 private:
  static std::uint64_t mask(unsigned bit) noexcept { return std::uint64_t{1} << bit; }
  static bool has(std::uint64_t word, unsigned bit) noexcept { return (word & mask(bit)) != 0; }
  static unsigned count(std::uint64_t word) noexcept {
    return static_cast<unsigned>(std::popcount(word));
  }
  static unsigned rank(std::uint64_t word, unsigned bit) noexcept {
    return count(word & (mask(bit) - 1));
  }
  bool is_far() const noexcept { return room_ > kNear; }
  const std::uint32_t* refs() const noexcept { return is_far() ? far_ : near_; }
  std::uint32_t* refs() noexcept { return is_far() ? far_ : near_; }
  static unsigned room_for(unsigned count) noexcept;
  bool move_to(unsigned room, unsigned count) noexcept;
  bool open_gap(unsigned position, std::uint32_t ref) noexcept;
  void close_gap(unsigned position) noexcept;

  std::uint64_t children_ = 0;
  std::uint64_t prefixes_ = 0;
  union {
    std::uint32_t near_[kNear] = {};
    std::uint32_t* far_;  // owned
  };
  std::uint8_t room_ = kNear;  // up to 126 references
};

extern template class Slots<kNearIpv4>;
extern template class Slots<kNearIpv6>;

}  // namespace tunnel::router
