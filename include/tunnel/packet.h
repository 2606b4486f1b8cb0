/* tunnel/packet.h - the value types that travel in arrays. Frozen: they never change size.
 *
 * A packet keeps one buffer from device to transport. It names the bytes, how many writable bytes
 * lie around them, where they come from or go to, and, afterwards, what became of them. */
#ifndef TUNNEL_PACKET_H
#define TUNNEL_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/status.h>

TUNNEL_BEGIN_DECLS

#define TUNNEL_FAMILY_NONE 0
#define TUNNEL_FAMILY_IPV4 4
#define TUNNEL_FAMILY_IPV6 6
#define TUNNEL_FAMILY_LINK 17 /* six bytes of MAC address, VLAN tag in `port` */

/* Room every packet needs around it so that it can be sealed and opened in place. */
#define TUNNEL_HEADROOM 16 /* data message header */
#define TUNNEL_TAILROOM 31 /* up to 15 bytes of padding and 16 of authentication tag */
/* Smallest buffer that tunnel_core_poll() may be given: the initiation is the longest handshake
 * message. A poll buffer also needs mtu + 32 bytes (see tunnel_core_layout). */
#define TUNNEL_HANDSHAKE_MAX 148

/* An outside address. 24 bytes. Address bytes in network order, numbers in host order. */
typedef struct tunnel_address {
  uint8_t family;  /* TUNNEL_FAMILY_ */
  uint8_t carrier; /* which transport of the engine, 0 = the first */
  uint16_t port;   /* host order */
  uint32_t scope;  /* interface index: IPv6 link-local scope, or sticky interface */
  uint8_t bytes[16];
} tunnel_address;

#define TUNNEL_PREFIX_REMOVE 0x0001u /* in set_peer: take this prefix away from the peer */

/* An inside prefix (one of a peer's allowed IPs). 24 bytes. Host bits are ignored. */
typedef struct tunnel_prefix {
  uint8_t family; /* TUNNEL_FAMILY_IPV4 or _IPV6 */
  uint8_t length; /* 0-32 or 0-128 */
  uint16_t flags; /* TUNNEL_PREFIX_ */
  uint32_t reserved;
  uint8_t bytes[16];
} tunnel_prefix;

#define TUNNEL_PACKET_ETHERNET 0x0001u          /* data is an Ethernet frame */
#define TUNNEL_PACKET_CHECKSUM_VERIFIED 0x0002u /* inner transport checksum was verified */
#define TUNNEL_PACKET_TRUNCATED 0x0004u         /* the datagram was longer than its buffer */
#define TUNNEL_PACKET_KEEPALIVE 0x0008u         /* poll: an empty data message */
#define TUNNEL_PACKET_HANDSHAKE 0x0010u         /* poll: an initiation, response or cookie reply */
#define TUNNEL_PACKET_ECN_SHIFT 8               /* two bits: outer ECN field */
#define TUNNEL_PACKET_ECN_MASK 0x0300u

/* One packet. 128 bytes on 64-bit systems. The caller owns packet and buffer, always. */
typedef struct tunnel_packet {
  uint8_t* data;         /* first byte of the packet */
  uint32_t length;       /* bytes of the packet */
  uint32_t room;         /* writable bytes from data on (>= length) */
  uint32_t headroom;     /* writable bytes before data */
  int32_t verdict;       /* TUNNEL_VERDICT_ or TUNNEL_DROP_ */
  uint64_t peer;         /* peer id, 0 = none */
  uint64_t user;         /* the caller's; never touched */
  uint32_t flags;        /* TUNNEL_PACKET_ */
  uint32_t reserved;     /* zero */
  tunnel_address remote; /* the other end of the datagram */
  tunnel_address local;  /* our end of it: sticky source address and interface (scope) */
  uint64_t internal[4];  /* the core's, between plan and commit */
} tunnel_packet;

/* Memory that a read fills with packets. The caller owns it; packets of a read point into it until
 * the caller reuses it. A reader lays the packets of a batch one behind another, each with its
 * headroom before it, and padding (up to `padding` - 1) plus tailroom after it. */
typedef struct tunnel_slab {
  uint8_t* bytes;
  size_t size;       /* bytes */
  uint32_t headroom; /* bytes before each packet, a multiple of 16 */
  uint32_t tailroom; /* bytes after each padded packet */
  uint32_t padding;  /* packets are padded to a multiple of this */
  uint32_t mtu;      /* largest inside packet; padding never goes past it */
} tunnel_slab;

/* The time, given by the caller. Frozen. */
typedef struct tunnel_time {
  uint64_t mono_ns; /* timers: monotonic, counts sleep (CLOCK_BOOTTIME, mach_continuous_time) */
  uint64_t wall_ns; /* since 1970 UTC: only for the handshake timestamp and "latest handshake" */
} tunnel_time;

#define TUNNEL_TIME_NEVER UINT64_MAX /* a deadline that does not come */

/* Something the caller's loop can wait on. */
#define TUNNEL_READABLE 0x1u
#define TUNNEL_WRITABLE 0x2u
typedef struct tunnel_handle {
  int64_t handle;  /* a file descriptor on POSIX systems */
  uint32_t events; /* TUNNEL_READABLE | TUNNEL_WRITABLE */
  uint32_t reserved;
} tunnel_handle;

TUNNEL_END_DECLS

#endif
