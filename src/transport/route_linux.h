// route_linux.h — asks the kernel by which interface a datagram would leave.
#pragma once

#include <cstdint>
#include <optional>

#include "base/base.h"

namespace tunnel::transport {

// Index of the interface by which a datagram with this mark goes from `local` to `remote`, of one
// family; 0 when there is no such way. Nothing when the kernel could not be asked.
std::optional<std::uint32_t> route_interface(const tunnel_address& local,
                                             const tunnel_address& remote,
                                             std::uint32_t mark) noexcept;

}  // namespace tunnel::transport
