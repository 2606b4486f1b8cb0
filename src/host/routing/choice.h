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
  std::string uplink;          // the one of the best default route, "" = there is none
  std::vector<std::string> uplinks;
  std::vector<Exception> exceptions;
};

Choice choose(const Request& request, const Machine& machine);

// Everything of at least one family goes through the tunnel.
inline bool takes_everything(const Choice& choice) noexcept {
  return choice.ipv4_default || choice.ipv6_default;
}

// The schemes that know our own datagrams by a mark.
bool needs_mark(const Request& request, const Choice& choice) noexcept;

// Neighbours must not learn or reach the address of a tunnel, except a server's, which its own
// network may well ask for something.
inline bool is_guarded(const Request& request) noexcept {
  return !request.server;
}

// A tunnel to a few networks works without a packet filter, and in a container whose /proc/sys is
// read-only: there it goes without these guards.
bool is_optional_guard(const Request& request, const Choice& choice) noexcept;

}  // namespace tunnel::host
