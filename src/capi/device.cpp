#include <tunnel/device.h>

#include <algorithm>

#include "base/base.h"
#include "device/device.h"

namespace base = tunnel::base;
namespace device = tunnel::device;

void tunnel_tun_config_init(tunnel_tun_config* config) {
  if (config) *config = TUNNEL_TUN_CONFIG_INIT;
}

int32_t tunnel_tun_open(const tunnel_tun_config* config, tunnel_device* out) {
  return base::guarded([&]() -> int32_t {
    if (!out) return TUNNEL_ERR_ARGUMENT;
    tunnel_tun_config known;
    if (const auto status = base::read_sized(config, known); status != TUNNEL_OK) return status;
    const auto opened = device::open_tun(known);
    if (opened) *out = *opened;
    return opened.status();
  });
}

int32_t tunnel_tun_name(const tunnel_device* tun, char name[16]) {
  if (!tun || !name) return TUNNEL_ERR_ARGUMENT;
  return device::tun_name(*tun, std::span<char, 16>(name, 16));
}

int32_t tunnel_device_pair(uint32_t capacity, uint32_t mtu, tunnel_device ends[2]) {
  return base::guarded([&]() -> int32_t {
    if (!ends) return TUNNEL_ERR_ARGUMENT;
    const auto made = device::make_pair(capacity, mtu);
    if (made) std::copy(made->begin(), made->end(), ends);
    return made.status();
  });
}
