// transport.h — door of the room `transport`: what carries datagrams to other nodes.
#pragma once

#include <tunnel/transport.h>

#include <array>

#include "base/base.h"

namespace tunnel::transport {

// See tunnel_udp_open().
base::Result<tunnel_transport> open_udp(const tunnel_udp_config& config);

// See tunnel_transport_pair().
base::Result<std::array<tunnel_transport, 2>> make_pair(const tunnel_pair_config& config);

// See tunnel_transport_pair_advance(). TUNNEL_ERR_ARGUMENT for an end that is not of a pair.
std::int32_t advance(const tunnel_transport& end, std::uint64_t mono_ns) noexcept;

}  // namespace tunnel::transport
