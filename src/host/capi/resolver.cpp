// resolver.cpp — the functions of tunnel/host/resolver.h.
#include <tunnel/host/resolver.h>

#include <memory>
#include <string>

#include "host/resolver/resolver.h"
#include "host/system/system.h"

namespace base = tunnel::base;
namespace host = tunnel::host;

struct tunnel_resolver {
  host::Resolver resolver;
};

void tunnel_resolver_config_init(tunnel_resolver_config* config) {
  if (config != nullptr) *config = TUNNEL_RESOLVER_CONFIG_INIT;
}

int32_t tunnel_resolver_create(const tunnel_resolver_config* config, tunnel_resolver** resolver) {
  if (resolver == nullptr) return TUNNEL_ERR_ARGUMENT;
  *resolver = nullptr;
  return host::guarded([&]() -> std::int32_t {
    tunnel_resolver_config known{};
    const std::int32_t status = base::read_sized(config, known);
    if (status != TUNNEL_OK) return status;
    if (known.engine == nullptr) return TUNNEL_ERR_ARGUMENT;
    *resolver = new tunnel_resolver{{known, host::look_up, host::Pauses{}}};
    return TUNNEL_OK;
  });
}

void tunnel_resolver_destroy(tunnel_resolver* resolver) {
  delete resolver;
}

int32_t tunnel_resolver_add(tunnel_resolver* resolver, const uint8_t public_key[TUNNEL_KEY_SIZE],
                            const char* host_name, uint16_t port) {
  if (resolver == nullptr || public_key == nullptr || host_name == nullptr) {
    return TUNNEL_ERR_ARGUMENT;
  }
  return host::guarded([&]() -> std::int32_t {
    resolver->resolver.add(host::public_key_of(public_key), host_name, port);
    return TUNNEL_OK;
  });
}

int32_t tunnel_resolver_remove(tunnel_resolver* resolver,
                               const uint8_t public_key[TUNNEL_KEY_SIZE]) {
  if (resolver == nullptr || public_key == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    resolver->resolver.remove(host::public_key_of(public_key));
    return TUNNEL_OK;
  });
}

int32_t tunnel_resolver_add_config(tunnel_resolver* resolver, const tunnel_config* config) {
  if (resolver == nullptr || config == nullptr) return TUNNEL_ERR_ARGUMENT;
  tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
  for (std::size_t i = 0; tunnel_config_get_peer(config, i, &peer) == TUNNEL_OK; ++i) {
    const bool is_name = peer.host[0] != '\0' && peer.endpoint.family == TUNNEL_FAMILY_NONE;
    if (!is_name) continue;
    const std::int32_t status =
        tunnel_resolver_add(resolver, peer.public_key, peer.host, peer.port);
    if (status != TUNNEL_OK) return status;
  }
  return TUNNEL_OK;
}

int32_t tunnel_resolver_ask(tunnel_resolver* resolver, const tunnel_address* servers, size_t count,
                            uint32_t mark) {
  if (resolver == nullptr || (servers == nullptr && count != 0)) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    host::Lookup lookup = host::look_up;
    if (count != 0) lookup = host::own_query({servers, servers + count}, mark);
    resolver->resolver.use(std::move(lookup));
    return TUNNEL_OK;
  });
}

int32_t tunnel_resolver_wait(tunnel_resolver* resolver, uint32_t timeout_ms) {
  if (resolver == nullptr) return TUNNEL_ERR_ARGUMENT;
  const bool done = resolver->resolver.wait(std::chrono::milliseconds(timeout_ms));
  return done ? TUNNEL_OK : TUNNEL_ERR_TIMEOUT;
}

int32_t tunnel_resolver_event(tunnel_resolver* resolver, const tunnel_event* event) {
  if (resolver == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    tunnel_event known{};
    const std::int32_t status = base::read_sized(event, known);
    if (status == TUNNEL_OK) resolver->resolver.event(known);
    return status;
  });
}
