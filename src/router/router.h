// router.h — door of the room `router`: who owns an inside address (WireGuard's allowed IPs).
#pragma once

#include <tunnel/packet.h>
#include <tunnel/router.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/base.h"

namespace tunnel::router {

// Owner of a prefix: a small number that the caller gives meaning to (the core: the peer's slot).
using Owner = std::uint32_t;
inline constexpr Owner kNobody = UINT32_MAX;

// Longest-prefix table for IPv4 and IPv6: a multibit trie. One prefix has one owner; giving it to
// another owner moves it. Lookups never allocate; changes may.
//
// Used from one thread at a time (the core's).
class PrefixTable {
 public:
  PrefixTable();
  ~PrefixTable();
  PrefixTable(const PrefixTable&) = delete;
  PrefixTable& operator=(const PrefixTable&) = delete;

  // Makes `owner` the owner of the prefix. Host bits of the prefix are ignored. False: out of
  // memory (nothing changed) or a prefix that is none.
  [[nodiscard]] bool insert(const tunnel_prefix& prefix, Owner owner);
  // Takes the prefix from `owner`; false when it is not the owner.
  bool remove(const tunnel_prefix& prefix, Owner owner);
  // Takes everything from `owner`. Cost: proportional to what it owns.
  void remove_all(Owner owner);

  // Owner of the longest prefix that holds the address (4 or 16 bytes), or kNobody.
  Owner find(std::uint8_t family, const std::uint8_t* address) const noexcept;
  Owner find_ipv4(const std::uint8_t* address) const noexcept;
  Owner find_ipv6(const std::uint8_t* address) const noexcept;

  // Prefixes of an owner, IPv4 before IPv6, otherwise in the order in which they came if all fit.
  std::size_t count(Owner owner) const noexcept;
  std::size_t copy(Owner owner, tunnel_prefix* out, std::size_t max) const noexcept;

  std::size_t size() const noexcept;          // prefixes in all
  std::size_t memory_bytes() const noexcept;  // taken now
  // Bytes that the next insert() of such a prefix takes at most.
  std::size_t growth(std::uint8_t family, Owner owner) const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tunnel::router
