// facts.h — what the control socket says about a tunnel that the core does not know.
#pragma once

#include <tunnel/host/config.h>

#include <string>
#include <unordered_map>

#include "base/base.h"
#include "host/config/config.h"

namespace tunnel::host {

struct TunnelFacts {
  base::Secret<TUNNEL_KEY_SIZE> private_key;
  std::uint32_t fwmark = 0;
  std::string file;  // "" = of none, or its path does not fit into a line
  std::unordered_map<PublicKey, std::string, PublicKeyHash> names;
};

// Null = nothing is known.
TunnelFacts facts_of(const tunnel_config* config);

// "" when it has none. The text lives until the names change.
std::string_view name_of(const TunnelFacts& facts, const std::uint8_t* public_key);

}  // namespace tunnel::host
