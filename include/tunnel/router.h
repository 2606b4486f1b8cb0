/* tunnel/router.h - who owns a packet, as a table.
 *
 * The core has a longest-prefix router (WireGuard's allowed IPs) built in. An application that
 * routes otherwise, for instance Ethernet frames by MAC address, gives its own table to
 * tunnel_core_create(); then prefixes in set_peer are refused. */
#ifndef TUNNEL_ROUTER_H
#define TUNNEL_ROUTER_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/packet.h>

TUNNEL_BEGIN_DECLS

#define TUNNEL_OUTBOUND 0 /* inside to outside: who owns the destination */
#define TUNNEL_INBOUND 1  /* outside to inside: who owns the source */

typedef struct tunnel_router_ops {
  uint32_t size; /* sizeof(tunnel_router_ops) */
  /* Sets packet.peer of each packet to its owner's id, or 0. The core checks that the id is alive
   * and, inbound, that it is the session's peer. `data` is the inside packet in both directions. */
  void (*owner)(void* self, int32_t direction, tunnel_packet* packets, size_t count);
} tunnel_router_ops;

typedef struct tunnel_router {
  const tunnel_router_ops* ops;
  void* self;
} tunnel_router;

TUNNEL_END_DECLS

#endif
