#include "host/machine/prefix.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace tunnel::host {
namespace {

struct Block {
  std::uint8_t family;
  std::uint8_t length;
  std::array<std::uint8_t, 2> bytes;
};

constexpr Block kLinkLocal4{TUNNEL_FAMILY_IPV4, 16, {169, 254}};
constexpr Block kLinkLocal6{TUNNEL_FAMILY_IPV6, 10, {0xfe, 0x80}};
constexpr std::array kPrivate = {
    Block{TUNNEL_FAMILY_IPV4, 8, {10, 0}},
    Block{TUNNEL_FAMILY_IPV4, 12, {172, 16}},
    Block{TUNNEL_FAMILY_IPV4, 16, {192, 168}},
    Block{TUNNEL_FAMILY_IPV6, 7, {0xfc, 0}},
    kLinkLocal4,
    kLinkLocal6,
};

bool lies_in(const Block& block, const tunnel_prefix& prefix) noexcept {
  tunnel_prefix outer{block.family, block.length, 0, 0, {}};
  std::copy(block.bytes.begin(), block.bytes.end(), outer.bytes);
  return covers(outer, prefix);
}

}  // namespace

bool covers(const tunnel_prefix& outer, const tunnel_prefix& inner) noexcept {
  if (outer.family != inner.family || outer.length > inner.length) return false;
  tunnel_prefix shortened = inner;
  shortened.length = outer.length;
  return same_network(outer, shortened);
}

bool same_network(const tunnel_prefix& a, const tunnel_prefix& b) noexcept {
  if (a.family != b.family || a.length != b.length) return false;
  const tunnel_prefix left = network_of(a);
  const tunnel_prefix right = network_of(b);
  return std::equal(std::begin(left.bytes), std::end(left.bytes), std::begin(right.bytes));
}

tunnel_prefix host_prefix(const tunnel_address& address) noexcept {
  const bool ipv4 = address.family == TUNNEL_FAMILY_IPV4;
  tunnel_prefix prefix{address.family, static_cast<std::uint8_t>(ipv4 ? 32 : 128), 0, 0, {}};
  std::copy_n(address.bytes, ipv4 ? 4 : 16, prefix.bytes);
  return prefix;
}

bool is_default(const tunnel_prefix& prefix) noexcept {
  return prefix.length == 0;
}

bool is_link_local(const tunnel_prefix& prefix) noexcept {
  return lies_in(kLinkLocal4, prefix) || lies_in(kLinkLocal6, prefix);
}

bool is_private(const tunnel_prefix& prefix) noexcept {
  return std::any_of(kPrivate.begin(), kPrivate.end(),
                     [&](const Block& block) { return lies_in(block, prefix); });
}

}  // namespace tunnel::host
