// transport.h — door of the room `transport`: what carries datagrams to other nodes.
#pragma once

#include <tunnel/transport.h>

#include "base/base.h"

namespace tunnel::transport {

// See tunnel_udp_open().
base::Result<tunnel_transport> open_udp(const tunnel_udp_config& config);

}  // namespace tunnel::transport
