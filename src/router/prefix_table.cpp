#include <algorithm>
#include <array>
#include <span>

#include "router/router.h"
#include "router/trie.h"

namespace tunnel::router {

namespace {

bool is_ipv4(const tunnel_prefix& prefix) noexcept {
  return prefix.family == TUNNEL_FAMILY_IPV4 && prefix.length <= 32;
}

bool is_ipv6(const tunnel_prefix& prefix) noexcept {
  return prefix.family == TUNNEL_FAMILY_IPV6 && prefix.length <= 128;
}

// The prefix without its host bits.
template <class Key>
Key network(const tunnel_prefix& prefix) noexcept {
  return Key::read(prefix.bytes).first(prefix.length);
}

// Writes the owner's prefixes of one family to `out` as far as they fit; returns how many.
template <class Key>
std::size_t copy_owned(const Trie<Key>& trie, Owner owner, std::span<tunnel_prefix> out) noexcept {
  std::size_t count = 0;
  trie.each(owner, [&](const Key& prefix, std::uint8_t length) {
    if (count == out.size()) return false;
    tunnel_prefix& to = out[count++];
    to = {};
    to.family = Key::kBits == 32 ? TUNNEL_FAMILY_IPV4 : TUNNEL_FAMILY_IPV6;
    to.length = length;
    prefix.write(to.bytes);
    return true;
  });
  std::ranges::reverse(out.first(count));  // the newest stands first in an owner's list
  return count;
}

template <class Key>
std::size_t count_owned(const Trie<Key>& trie, Owner owner) noexcept {
  std::size_t count = 0;
  trie.each(owner, [&](const Key&, std::uint8_t) { return ++count, true; });
  return count;
}

}  // namespace

struct PrefixTable::Impl {
  Trie<Ipv4Key> ipv4;
  Trie<Ipv6Key> ipv6;
};

PrefixTable::PrefixTable() : impl_(std::make_unique<Impl>()) {}
PrefixTable::~PrefixTable() = default;

bool PrefixTable::insert(const tunnel_prefix& prefix, Owner owner) {
  if (owner == kNobody) return false;
  if (is_ipv4(prefix)) return impl_->ipv4.insert(network<Ipv4Key>(prefix), prefix.length, owner);
  if (is_ipv6(prefix)) return impl_->ipv6.insert(network<Ipv6Key>(prefix), prefix.length, owner);
  return false;
}

bool PrefixTable::remove(const tunnel_prefix& prefix, Owner owner) {
  if (is_ipv4(prefix)) return impl_->ipv4.remove(network<Ipv4Key>(prefix), prefix.length, owner);
  if (is_ipv6(prefix)) return impl_->ipv6.remove(network<Ipv6Key>(prefix), prefix.length, owner);
  return false;
}

void PrefixTable::remove_all(Owner owner) {
  impl_->ipv4.remove_all(owner);
  impl_->ipv6.remove_all(owner);
}

Owner PrefixTable::find(std::uint8_t family, const std::uint8_t* address) const noexcept {
  if (family == TUNNEL_FAMILY_IPV4) return find_ipv4(address);
  if (family == TUNNEL_FAMILY_IPV6) return find_ipv6(address);
  return kNobody;
}

Owner PrefixTable::find_ipv4(const std::uint8_t* address) const noexcept {
  return impl_->ipv4.find(Ipv4Key::read(address));
}

Owner PrefixTable::find_ipv6(const std::uint8_t* address) const noexcept {
  return impl_->ipv6.find(Ipv6Key::read(address));
}

std::size_t PrefixTable::count(Owner owner) const noexcept {
  return count_owned(impl_->ipv4, owner) + count_owned(impl_->ipv6, owner);
}

std::size_t PrefixTable::copy(Owner owner, tunnel_prefix* out, std::size_t max) const noexcept {
  const std::span<tunnel_prefix> space(out, max);
  const std::size_t ipv4 = copy_owned(impl_->ipv4, owner, space);
  return ipv4 + copy_owned(impl_->ipv6, owner, space.subspan(ipv4));
}

std::size_t PrefixTable::size() const noexcept {
  return impl_->ipv4.size() + impl_->ipv6.size();
}

std::size_t PrefixTable::memory_bytes() const noexcept {
  return sizeof(Impl) + impl_->ipv4.memory_bytes() + impl_->ipv6.memory_bytes();
}

std::size_t PrefixTable::growth(std::uint8_t family, Owner owner) const noexcept {
  return family == TUNNEL_FAMILY_IPV4 ? impl_->ipv4.growth(owner) : impl_->ipv6.growth(owner);
}

}  // namespace tunnel::router
