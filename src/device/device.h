// device.h — door of the room `device`: where inside packets come from and go to.
#pragma once

#include <tunnel/device.h>

#include <array>

#include "base/base.h"

namespace tunnel::device {

// See tunnel_tun_open(). A descriptor that is handed over is closed on failure too.
base::Result<tunnel_device> open_tun(const tunnel_tun_config& config);

// See tunnel_tun_name(). TUNNEL_ERR_ARGUMENT for a device that is no TUN of ours.
std::int32_t tun_name(const tunnel_device& device, std::span<char, 16> name) noexcept;

// See tunnel_device_pair().
base::Result<std::array<tunnel_device, 2>> make_pair(std::uint32_t capacity, std::uint32_t mtu);

}  // namespace tunnel::device
