// lookup.h — asks the system for the addresses of a host name. Blocks, possibly for long.
#pragma once

#include <tunnel/packet.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tunnel::host {

struct LookupResult {
  std::vector<tunnel_address> addresses;  // of both families, best first; empty = none
  std::string reason;                     // why there are none
};

using Lookup = std::function<LookupResult(const std::string& host, std::uint16_t port)>;

LookupResult look_up(const std::string& host, std::uint16_t port);

}  // namespace tunnel::host
