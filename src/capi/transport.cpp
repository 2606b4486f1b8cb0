#include <tunnel/transport.h>

#include "capi/config.h"
#include "capi/guard.h"
#include "transport/transport.h"

namespace capi = tunnel::capi;
namespace transport = tunnel::transport;

void tunnel_udp_config_init(tunnel_udp_config* config) {
  if (config) *config = TUNNEL_UDP_CONFIG_INIT;
}

int32_t tunnel_udp_open(const tunnel_udp_config* config, tunnel_transport* out) {
  return capi::guarded([&]() -> int32_t {
    if (!out) return TUNNEL_ERR_ARGUMENT;
    tunnel_udp_config known;
    if (const auto status = capi::read_config(config, known); status != TUNNEL_OK) return status;
    const auto opened = transport::open_udp(known);
    if (opened) *out = *opened;
    return opened.status();
  });
}
