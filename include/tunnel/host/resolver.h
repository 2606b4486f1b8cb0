/* tunnel/host/resolver.h - endpoints that are host names.
 *
 * A thread of its own looks names up (getaddrinfo, IPv4 and IPv6) with growing pauses until they
 * are known, gives the peer the first address through the engine and asks for a handshake. As long
 * as no session comes about it goes on to the next address. A lookup that blocks never holds up the
 * packets or the caller. */
#ifndef TUNNEL_HOST_RESOLVER_H
#define TUNNEL_HOST_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/engine.h>
#include <tunnel/host/config.h>

TUNNEL_BEGIN_DECLS

typedef struct tunnel_resolver tunnel_resolver;

/* Called on the resolver's thread after each lookup: `address` is what the peer got, null when the
 * lookup failed (it is tried again; `reason` says why). Must not block, nor destroy the
 * resolver. */
typedef void (*tunnel_resolver_report)(void* context, const uint8_t public_key[TUNNEL_KEY_SIZE],
                                       const char* host, const tunnel_address* address,
                                       const char* reason);

typedef struct tunnel_resolver_config {
  uint32_t size;                 /* sizeof(tunnel_resolver_config) */
  uint32_t flags;                /* zero */
  tunnel_engine* engine;         /* must outlive the resolver */
  tunnel_resolver_report report; /* may be null */
  void* context;
} tunnel_resolver_config;
#define TUNNEL_RESOLVER_CONFIG_INIT \
  { sizeof(tunnel_resolver_config) }
TUNNEL_API void tunnel_resolver_config_init(tunnel_resolver_config* config);

/* On success the caller owns *resolver. */
TUNNEL_API int32_t tunnel_resolver_create(const tunnel_resolver_config* config,
                                          tunnel_resolver** resolver);

/* Returns at once, also while a lookup hangs (its thread ends by itself and touches nothing of
 * yours any more). No report comes after it returned. Null is fine. */
TUNNEL_API void tunnel_resolver_destroy(tunnel_resolver* resolver);

/* Keeps the endpoint of this peer at what `host` says. Any thread. */
TUNNEL_API int32_t tunnel_resolver_add(tunnel_resolver* resolver,
                                       const uint8_t public_key[TUNNEL_KEY_SIZE], const char* host,
                                       uint16_t port);

/* The same for every peer of a configuration whose endpoint is a name. */
TUNNEL_API int32_t tunnel_resolver_add_config(tunnel_resolver* resolver,
                                              const tunnel_config* config);

/* Hand in every event of the engine: a failed handshake makes the resolver ask again, a change of
 * the network shortens its pauses. Any thread. */
TUNNEL_API int32_t tunnel_resolver_event(tunnel_resolver* resolver, const tunnel_event* event);

TUNNEL_END_DECLS

#endif
