// choice.h — what every part of a plan has to agree on, decided once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/machine/machine.h"
#include "host/routing/request.h"

namespace tunnel::host {

// A network that stays reachable although everything goes through the tunnel.
struct Exception {
  tunnel_prefix prefix;
  std::string link;
};

struct Choice {
  bool ipv4_default = false;  // the tunnel takes everything of this family
  bool ipv6_default = false;
  bool ipv6 = false;        // this machine has IPv6 at all
  std::uint32_t table = 0;  // of our own; 0 = none is needed
  std::uint32_t mark = 0;
  bool strict_filter = false;  // an uplink drops what would not be answered the same way
  std::vector<std::string> uplinks;
  std::vector<Exception> exceptions;
};

Choice choose(const Request& request, const Machine& machine);

// Everything of at least one family goes through the tunnel.
inline bool takes_everything(const Choice& choice) noexcept {
  return choice.ipv4_default || choice.ipv6_default;
}

// The schemes that need a mark on our own datagrams.
bool needs_mark(const Request& request, const Choice& choice) noexcept;

// Neighbours must not learn or reach the tunnel's address. As in wg-quick not for tunnels to a few
// networks, whose routers may well ask for it.
bool is_guarded(const Request& request, const Choice& choice) noexcept;

}  // namespace tunnel::host
