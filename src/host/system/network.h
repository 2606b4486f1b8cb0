// network.h — prefixes without their host bits.
#pragma once

#include <tunnel/packet.h>

namespace tunnel::host {

// The network that an address with a length is in.
tunnel_prefix network_of(tunnel_prefix prefix) noexcept;

}  // namespace tunnel::host
