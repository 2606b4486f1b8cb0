// shortcuts.h — where lookups begin once a trie has many prefixes: an array by the first address
// bits, in place of the first nodes of the way.
//
// It repeats what the nodes say and may be missing: a lookup then begins at the root. So nothing
// fails when there is no memory for it. It pays where prefixes differ in their first bits; where
// they do not, path compression has shortened the way already.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

#include "router/pool.h"

namespace tunnel::router {

// What the trie says about all addresses that begin with some bits.
struct Shortcut {
  std::uint32_t below = kNone;  // node or leaf that these bits lead to
  std::uint32_t cover = kNone;  // entry of the longest prefix shorter than these bits
};

class Shortcuts {
 public:
  // For a table that grew to `prefixes`: how many bits are worth it, 0 = none. The array then costs
  // at most 16 bytes per prefix. Nodes begin at 14 and at 20 bits: no shortcut ends inside one.
  static constexpr unsigned worth(std::size_t prefixes) noexcept {
    if (prefixes >= kMany) return 20;
    return prefixes >= kSome ? 14 : 0;
  }

  unsigned bits() const noexcept { return bits_; }
  std::size_t memory_bytes() const noexcept {
    return bits_ == 0 ? 0 : (std::size_t{1} << bits_) * sizeof(Shortcut);
  }

  // Bytes that a table takes for them when it grows to `prefixes`.
  std::size_t growth(std::size_t prefixes) const noexcept {
    const unsigned wanted = worth(prefixes);
    if (wanted <= bits_) return 0;
    return (std::size_t{1} << wanted) * sizeof(Shortcut) - memory_bytes();
  }

  Shortcut& operator[](std::size_t first_bits) noexcept { return shortcuts_[first_bits]; }
  const Shortcut& operator[](std::size_t first_bits) const noexcept {
    return shortcuts_[first_bits];
  }

  // All shortcuts of more than `length` bits that begin with those of `shortcuts_[first]`.
  std::span<Shortcut> under(std::size_t first, unsigned length) noexcept {
    return {&shortcuts_[first], std::size_t{1} << (bits_ - length)};
  }

  // Empty ones for `bits` leading bits. False: out of memory, nothing changed.
  [[nodiscard]] bool make(unsigned bits) noexcept {
    std::unique_ptr<Shortcut[]> fresh(new (std::nothrow) Shortcut[std::size_t{1} << bits]);
    if (!fresh) return false;
    shortcuts_ = std::move(fresh);
    bits_ = bits;
    return true;
  }

  void clear() noexcept {
    shortcuts_.reset();
    bits_ = 0;
  }

 private:
  static constexpr std::size_t kSome = 1u << 13;
  static constexpr std::size_t kMany = 1u << 19;

  std::unique_ptr<Shortcut[]> shortcuts_;
  unsigned bits_ = 0;
};

}  // namespace tunnel::router
