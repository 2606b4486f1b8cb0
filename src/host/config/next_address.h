// next_address.h — an address that nobody in the tunnel has yet.
#pragma once

#include <optional>

#include "host/config/model.h"

namespace tunnel::host {

// The lowest free address of a network of the interface, as a prefix of one address; nothing when
// all are taken. Peers' prefixes that cover the whole network leave it free.
std::optional<tunnel_prefix> next_address(const Config& config, const tunnel_prefix& network);

}  // namespace tunnel::host
