/* tunnel/transport.h - what carries datagrams to other nodes.
 *
 * The same four verbs as a device; packets have `remote` and `local` addresses. One thread at a
 * time. */
#ifndef TUNNEL_TRANSPORT_H
#define TUNNEL_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/packet.h>

TUNNEL_BEGIN_DECLS

#define TUNNEL_CHANGED_NETWORK 0x1u /* a local address or route changed since the last question */

typedef struct tunnel_transport_ops {
  uint32_t size;  /* sizeof(tunnel_transport_ops); members beyond it are unsupported */
  uint32_t flags; /* zero */

  /* As tunnel_device_ops.read; fills remote and local too; the port of local is a note of the
   * transport to itself, to be handed back with it. A datagram that did not fit has the flag
   * TRUNCATED. Errors of earlier datagrams (ICMP, a vanished route) are swallowed. Datagrams that
   * came as one train stand as they came: they touch each other, those behind the first have no
   * headroom, and each has no more room than its own bytes. */
  int32_t (*read)(void* self, const tunnel_slab* slab, tunnel_packet* packets, size_t max);

  /* Sends packets with verdict SEND or REPLY to packet.remote, from packet.local when its family is
   * set; gives each SENT, WAIT or a DROP reason (TOO_BIG, UNREACHABLE, IO). A local address that is
   * no longer ours is dropped from the packet (local.family = NONE) and the packet is sent again
   * without. Returns 0, or a negative error when the transport is gone. */
  int32_t (*write)(void* self, tunnel_packet* packets, size_t count);

  /* As tunnel_device_ops.wait; WRITABLE after any write since the last call that said WAIT. */
  int32_t (*wait)(void* self, tunnel_handle* handles, size_t max);

  /* As tunnel_device_ops.close. */
  void (*close)(void* self);

  /* Opens the sockets anew, keeping the port when it can. Old ones stay when that fails. */
  int32_t (*rebind)(void* self);

  /* Sets the firewall mark of everything sent (0 = none). */
  int32_t (*mark)(void* self, uint32_t mark);

  /* The local port in use, 0 = none, or a negative error. */
  int32_t (*port)(void* self);

  /* TUNNEL_CHANGED_ bits since the last call. */
  uint32_t (*changed)(void* self);

  /* Moves to another local port (0 = any). TUNNEL_ERR_IN_USE leaves everything as it was. */
  int32_t (*set_port)(void* self, uint16_t port);

  /* Switches trains on or off: several datagrams that pass the kernel in one piece. */
  int32_t (*offload)(void* self, uint32_t enable);
} tunnel_transport_ops;

typedef struct tunnel_transport {
  const tunnel_transport_ops* ops;
  void* self;
} tunnel_transport;

/* UDP on IPv4 and IPv6, both on one port. A missing family is not fatal; both missing is. */
typedef struct tunnel_udp_config {
  uint32_t size;           /* sizeof(tunnel_udp_config) */
  uint32_t mark;           /* firewall mark (SO_MARK), 0 = none */
  uint32_t receive_buffer; /* bytes asked of the kernel, 0 = 7 MiB; less is not an error */
  uint32_t send_buffer;    /* likewise */
  uint16_t port;           /* 0 = the system chooses one */
  uint16_t families;       /* TUNNEL_UDP_, 0 = both */
  uint32_t flags;          /* TUNNEL_UDP_ */
  tunnel_address bind;     /* only on this local address; family NONE = any */
} tunnel_udp_config;
#define TUNNEL_UDP_IPV4 0x1u
#define TUNNEL_UDP_IPV6 0x2u
#define TUNNEL_UDP_NO_MONITOR 0x1u /* flags: do not watch for changes of addresses and routes */
#define TUNNEL_UDP_NO_OFFLOAD 0x2u /* every datagram alone: neither UDP_SEGMENT nor UDP_GRO */
#define TUNNEL_UDP_CONFIG_INIT \
  { sizeof(tunnel_udp_config) }
TUNNEL_API void tunnel_udp_config_init(tunnel_udp_config* config);

/* Errors: IN_USE (port taken), PERMISSION (mark or low port), UNAVAILABLE (no family),
 * RESOURCES. */
TUNNEL_API int32_t tunnel_udp_open(const tunnel_udp_config* config, tunnel_transport* transport);

/* Two transports joined in memory, with faults by choice. Deterministic: all randomness comes from
 * `seed`, all time from tunnel_transport_pair_advance(). */
typedef struct tunnel_pair_config {
  uint32_t size;               /* sizeof(tunnel_pair_config) */
  uint32_t capacity;           /* datagrams in flight each way, 0 = 4096 */
  uint64_t seed;               /* of the fault generator */
  uint64_t delay_ns;           /* of every datagram */
  uint64_t jitter_ns;          /* plus 0..jitter, which reorders */
  uint32_t loss_ppm;           /* datagrams lost, per million */
  uint32_t duplicate_ppm;      /* datagrams delivered twice */
  uint32_t reorder_ppm;        /* datagrams that overtake their predecessor */
  uint32_t flags;              /* zero */
  tunnel_address addresses[2]; /* of the two ends; family NONE = 127.0.0.1/.2:51820 */
} tunnel_pair_config;
#define TUNNEL_PAIR_CONFIG_INIT \
  { sizeof(tunnel_pair_config) }
TUNNEL_API void tunnel_pair_config_init(tunnel_pair_config* config);

/* A datagram reaches the other end when its remote address is that end's; any other is UNREACHABLE.
 * Nobody notices that the other end was closed. When `capacity` datagrams are under way, write says
 * WAIT. The ends may be used by different threads; each is closed by its owner. */
TUNNEL_API int32_t tunnel_transport_pair(const tunnel_pair_config* config,
                                         tunnel_transport ends[2]);

/* Sets the time of the pair: datagrams due until then become readable. Starts at 0. A pair without
 * delay and jitter needs no time. Either end does for the whole pair. */
TUNNEL_API int32_t tunnel_transport_pair_advance(const tunnel_transport* end, uint64_t mono_ns);

TUNNEL_END_DECLS

#endif
