#include <tunnel/transport.h>

#include <algorithm>

#include "base/base.h"
#include "transport/transport.h"

namespace base = tunnel::base;
namespace transport = tunnel::transport;

void tunnel_udp_config_init(tunnel_udp_config* config) {
  if (config) *config = TUNNEL_UDP_CONFIG_INIT;
}

int32_t tunnel_udp_open(const tunnel_udp_config* config, tunnel_transport* out) {
  return base::guarded([&]() -> int32_t {
    if (!out) return TUNNEL_ERR_ARGUMENT;
    tunnel_udp_config known;
    if (const auto status = base::read_sized(config, known); status != TUNNEL_OK) return status;
    const auto opened = transport::open_udp(known);
    if (opened) *out = *opened;
    return opened.status();
  });
}

void tunnel_pair_config_init(tunnel_pair_config* config) {
  if (config) *config = TUNNEL_PAIR_CONFIG_INIT;
}

int32_t tunnel_transport_pair(const tunnel_pair_config* config, tunnel_transport ends[2]) {
  return base::guarded([&]() -> int32_t {
    if (!ends) return TUNNEL_ERR_ARGUMENT;
    tunnel_pair_config known;
    if (const auto status = base::read_sized(config, known); status != TUNNEL_OK) return status;
    const auto made = transport::make_pair(known);
    if (made) std::copy(made->begin(), made->end(), ends);
    return made.status();
  });
}

int32_t tunnel_transport_pair_advance(const tunnel_transport* end, uint64_t mono_ns) {
  if (!end) return TUNNEL_ERR_ARGUMENT;
  return transport::advance(*end, mono_ns);
}
