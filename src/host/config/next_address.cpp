#include "host/config/next_address.h"

#include <algorithm>
#include <array>

#include "host/config/address_text.h"
#include "host/system/system.h"

namespace tunnel::host {
namespace {

using Number = std::array<std::uint8_t, 16>;  // of an IPv4 address only the first four are used

struct Taken {
  Number first, last;
};

std::size_t bits_of(const tunnel_prefix& prefix) noexcept {
  return prefix.family == TUNNEL_FAMILY_IPV4 ? 32 : 128;
}

Number number_of(const tunnel_prefix& prefix) noexcept {
  Number number{};
  std::copy(std::begin(prefix.bytes), std::end(prefix.bytes), number.begin());
  return number;
}

Number first_of(const tunnel_prefix& prefix) noexcept {
  return number_of(network_of(prefix));
}

Number last_of(const tunnel_prefix& prefix) noexcept {
  Number last = first_of(prefix);
  for (std::size_t bit = prefix.length; bit < bits_of(prefix); ++bit) {
    last[bit / 8] = static_cast<std::uint8_t>(last[bit / 8] | 0x80u >> bit % 8);
  }
  return last;
}

// The next address; after the last one of its family the first one.
Number after(Number number, std::size_t bits) noexcept {
  for (std::size_t i = bits / 8; i-- > 0;) {
    if (++number[i] != 0) break;
  }
  return number;
}

tunnel_prefix whole(tunnel_prefix prefix) noexcept {
  prefix.length = static_cast<std::uint8_t>(bits_of(prefix));
  return prefix;
}

std::vector<Taken> taken_in(const Config& config, const tunnel_prefix& network) {
  std::vector<Taken> taken;
  for (const tunnel_prefix& own : config.interface.addresses) {
    if (own.family == network.family) taken.push_back({number_of(own), number_of(own)});
  }
  for (const PeerSection& peer : config.peers) {
    for (const tunnel_prefix& prefix : peer.allowed_ips) {
      if (prefix.family != network.family || prefix.length <= network.length) continue;
      taken.push_back({first_of(prefix), last_of(prefix)});
    }
  }
  std::sort(taken.begin(), taken.end(),
            [](const Taken& a, const Taken& b) { return a.first < b.first; });
  return taken;
}

}  // namespace

std::optional<tunnel_prefix> next_address(const Config& config, const tunnel_prefix& network) {
  if (network.length + 2u > bits_of(network)) return std::nullopt;  // no room for two ends
  // The first address is the network's own (of IPv6 the routers'), the last one IPv4's broadcast.
  Number candidate = after(first_of(network), bits_of(network));
  const Number end = last_of(network);
  for (const Taken& range : taken_in(config, network)) {
    if (range.last < candidate) continue;
    if (range.first > candidate) break;
    if (range.last >= end) return std::nullopt;
    candidate = after(range.last, bits_of(network));
  }
  if (candidate >= end) return std::nullopt;
  tunnel_prefix address = whole(network);
  std::copy(candidate.begin(), candidate.end(), std::begin(address.bytes));
  return address;
}

}  // namespace tunnel::host
