/* tunnel/host/resolver.h - endpoints that are host names.
 *
 * A thread of its own looks names up (IPv4 and IPv6) with growing pauses until they are known,
 * gives the peer the first address through the engine and asks for a handshake. As long as no
 * session comes about it goes on to the next address. A lookup that blocks never holds up the
 * packets or the caller. */
#ifndef TUNNEL_HOST_RESOLVER_H
#define TUNNEL_HOST_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/engine.h>
#include <tunnel/host/config.h>

TUNNEL_BEGIN_DECLS

typedef struct tunnel_resolver tunnel_resolver;

/* Called on the resolver's thread after each lookup, before the peer gets `address`; null when the
 * lookup failed (it is tried again; `reason` says why). Must not destroy the resolver; whoever
 * destroys it waits for it. */
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

/* Keeps the endpoint of this peer at what `host` says. What was said already changes nothing: a
 * session that has come about is left alone. Any thread. */
TUNNEL_API int32_t tunnel_resolver_add(tunnel_resolver* resolver,
                                       const uint8_t public_key[TUNNEL_KEY_SIZE], const char* host,
                                       uint16_t port);

/* Leaves the endpoint of this peer alone from now on: it was set to an address, or the peer is
 * gone. A peer that was never added is fine. Any thread. */
TUNNEL_API int32_t tunnel_resolver_remove(tunnel_resolver* resolver,
                                          const uint8_t public_key[TUNNEL_KEY_SIZE]);

/* Adds every peer of a configuration whose endpoint is a name. */
TUNNEL_API int32_t tunnel_resolver_add_config(tunnel_resolver* resolver,
                                              const tunnel_config* config);

/* How names are looked up. As long as this was not called, or with `count` 0, by the system
 * (getaddrinfo). Otherwise by own queries to these servers (a port of 0 means 53) from sockets with
 * `mark` (0 = none), after a look into the hosts file: for the time in which the system's resolver
 * asks through the tunnel, which cannot tell where its own server went. See tunnel_dns_uplink.
 *
 * The servers are copied. Names without a session are looked up anew at once. Any thread. */
TUNNEL_API int32_t tunnel_resolver_ask(tunnel_resolver* resolver, const tunnel_address* servers,
                                       size_t count, uint32_t mark);

/* Waits until every name was looked up at least once. TIMEOUT when that takes longer. */
TUNNEL_API int32_t tunnel_resolver_wait(tunnel_resolver* resolver, uint32_t timeout_ms);

/* Hand in every event of the engine: a failed handshake makes the resolver ask again, a change of
 * the network shortens its pauses. Any thread. */
TUNNEL_API int32_t tunnel_resolver_event(tunnel_resolver* resolver, const tunnel_event* event);

TUNNEL_END_DECLS

#endif
