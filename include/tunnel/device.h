/* tunnel/device.h - where inside packets come from and go to.
 *
 * A device is a table {ops, self}. Built-in and user-made devices are the same thing. A device is
 * used by one thread at a time; close may follow from the thread that destroys it. */
#ifndef TUNNEL_DEVICE_H
#define TUNNEL_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/packet.h>

TUNNEL_BEGIN_DECLS

typedef struct tunnel_device_ops {
  uint32_t size;  /* sizeof(tunnel_device_ops); members beyond it are unsupported */
  uint32_t flags; /* TUNNEL_DEVICE_ */

  /* Reads up to `max` inside packets into the slab and fills data, length, room, headroom, flags of
   * as many packets. Never blocks. Returns the count, 0 = nothing now, or a negative error:
   * TUNNEL_ERR_CLOSED means the device is gone for good. */
  int32_t (*read)(void* self, const tunnel_slab* slab, tunnel_packet* packets, size_t max);

  /* Offers packets; gives every one a verdict: SENT, WAIT (ring full: offer it again when writable)
   * or a DROP reason. Packets whose verdict is not DELIVER are left alone. Returns 0, or a negative
   * error when the device is gone. */
  int32_t (*write)(void* self, tunnel_packet* packets, size_t count);

  /* Fills up to `max` handles to wait on, with the events wanted now (WRITABLE only after a WAIT).
   * One is readable as long as read would return packets or an error: after a read that brought
   * little the engine waits, and does not ask again. Returns the count; 0 = no handle: the owner
   * wakes the engine with tunnel_engine_notify(), which then reads until there is nothing. */
  int32_t (*wait)(void* self, tunnel_handle* handles, size_t max);

  /* Releases everything, also `self`. Called exactly once, by whoever owns the device. */
  void (*close)(void* self);

  /* Current inside MTU of the device, or a negative error. */
  int32_t (*mtu)(void* self);

  /* Switches on (1) or off (0) that the operating system hands over and takes many packets as one.
   * Packets look the same either way. TUNNEL_ERR_UNSUPPORTED when it cannot be switched on here. */
  int32_t (*offload)(void* self, uint32_t enable);
} tunnel_device_ops;

#define TUNNEL_DEVICE_ETHERNET 0x1u /* frames instead of IP packets */
#define TUNNEL_DEVICE_LOCAL 0x2u    /* the sender is a local IP stack: answer with ICMP */

typedef struct tunnel_device {
  const tunnel_device_ops* ops;
  void* self;
} tunnel_device;

/* Linux TUN.
 *
 * Where the kernel has them, segmentation offloads are on: one system call then moves up to 64 KiB
 * of a TCP flow (UDP: since Linux 6.2). Packets that continue each other are written as one; those
 * whose checksum is wrong are written as they are. A UDP datagram without a checksum may get
 * one. */
typedef struct tunnel_tun_config {
  uint32_t size;  /* sizeof(tunnel_tun_config) */
  uint32_t mtu;   /* 0 = leave as it is */
  int64_t handle; /* take over an open TUN descriptor, configured with IFF_NO_PI; used when
                     take_handle is 1: the device owns it from then on, also on failure. Without
                     IFF_VNET_HDR it has no offloads; with it, its header has 10 or 12 bytes */
  uint32_t take_handle;
  uint32_t flags;    /* TUNNEL_TUN_ */
  const char* name;  /* up to 15 characters, "%d" is replaced by a free number; null = "tun%d" */
  uint32_t tx_queue; /* packets (superpackets count as one) that may wait in the interface for a
                        read; more are dropped there. 0 = leave as it is, 500 in most kernels */
  uint32_t reserved; /* zero */
} tunnel_tun_config;
#define TUNNEL_TUN_NO_OFFLOAD 0x1u /* begin without offloads: tunnel_device_ops.offload */
#define TUNNEL_TUN_CONFIG_INIT \
  { sizeof(tunnel_tun_config) }
TUNNEL_API void tunnel_tun_config_init(tunnel_tun_config* config);

/* Opens /dev/net/tun. Errors: PERMISSION, IN_USE (name taken), UNAVAILABLE (no TUN driver),
 * ARGUMENT (bad name), RESOURCES. On success the caller owns the device. */
TUNNEL_API int32_t tunnel_tun_open(const tunnel_tun_config* config, tunnel_device* device);

/* Name the kernel gave. `name` has room for 16 bytes. TUNNEL_ERR_ARGUMENT for another device. */
TUNNEL_API int32_t tunnel_tun_name(const tunnel_device* device, char name[16]);

/* Two devices joined in memory: what is written to one is read from the other, in order, up to
 * `capacity` packets each way (0 = 256) of `mtu` bytes (0 = 1420), then write says WAIT. For tests,
 * simulations and embedders that make packets themselves. Each end may be used by another thread.
 * On Linux the ends have a handle to wait on. The caller owns both ends; they are closed
 * independently. */
TUNNEL_API int32_t tunnel_device_pair(uint32_t capacity, uint32_t mtu, tunnel_device ends[2]);

TUNNEL_END_DECLS

#endif
