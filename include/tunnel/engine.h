/* tunnel/engine.h - runs a core on a device and a transport, on one thread of yours.
 *
 * The engine waits, reads a batch, hands it to the core, writes a batch. It makes no thread unless
 * crypto_threads says so: run() uses the caller's. Functions marked "any thread" may be called
 * while run() is under way. */
#ifndef TUNNEL_ENGINE_H
#define TUNNEL_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/core.h>
#include <tunnel/device.h>
#include <tunnel/transport.h>

TUNNEL_BEGIN_DECLS

typedef struct tunnel_engine tunnel_engine;

#define TUNNEL_ENGINE_NO_ICMP 0x1u     /* do not answer unroutable packets of a local device */
#define TUNNEL_ENGINE_NO_INITIATE 0x2u /* do not initiate to all known endpoints at start */

typedef struct tunnel_engine_config {
  uint32_t size;  /* sizeof(tunnel_engine_config) */
  uint32_t flags; /* TUNNEL_ENGINE_ */
  uint32_t batch; /* packets per read, 0 = 128, at most 128 */
  /* Threads that run the cipher, at most 16; 0 = none, the thread in run() does it. Worth trying
   * for one fast tunnel on a machine with four cores or more to spare; each costs half a megabyte.
   */
  uint32_t crypto_threads;
  tunnel_core* core;
  tunnel_device device;
  tunnel_transport transport;
  uint64_t memory_budget; /* bytes that engine and core may hold together, 0 = no bound */
} tunnel_engine_config;
/* A budget for a phone's extension; with a core made with TUNNEL_CORE_SMALL more than half of it is
 * left for peers, prefixes and sessions. */
#define TUNNEL_MEMORY_SMALL (UINT64_C(2) << 20)
#define TUNNEL_ENGINE_CONFIG_INIT \
  { sizeof(tunnel_engine_config) }
TUNNEL_API void tunnel_engine_config_init(tunnel_engine_config* config);

/* Adopts core, device and transport when it succeeds; on failure the caller still owns them.
 *
 * With a memory budget the engine takes smaller batches than asked for when its slabs would need
 * more than a quarter of it, and the core gets the rest as its limit
 * (tunnel_core_set_memory_limit). TUNNEL_ERR_MEMORY when that is less than what they hold already.
 * What device and transport keep for themselves is not counted: 2.3 MiB for a TUN and UDP together,
 * of which 2 are touched only while trains of datagrams and single ones alternate. */
TUNNEL_API int32_t tunnel_engine_create(const tunnel_engine_config* config, tunnel_engine** engine);

/* Runs until stop() or until the device is gone. Returns 0 after stop, TUNNEL_ERR_CLOSED when the
 * device or transport vanished, TUNNEL_ERR_STATE when it runs already. May be called again. */
TUNNEL_API int32_t tunnel_engine_run(tunnel_engine* engine);

/* Makes run() return soon; a stop before run() makes that run() return at once. Any thread, also
 * async-signal-safe. Idempotent. */
TUNNEL_API int32_t tunnel_engine_stop(tunnel_engine* engine);

/* Closes device and transport, destroys the core. Never while run() is under way: that is
 * TUNNEL_ERR_STATE and destroys nothing. Null is fine. */
TUNNEL_API int32_t tunnel_engine_destroy(tunnel_engine* engine);

/* Runs `task(context, core)` on the engine's thread between two batches (or at the next run()). The
 * task may use every tunnel_core_ function. Tasks run in order; those never run because the engine
 * is destroyed are called with core = null, so that the context can be freed. Any thread. */
typedef void (*tunnel_task)(void* context, tunnel_core* core);
TUNNEL_API int32_t tunnel_engine_post(tunnel_engine* engine, tunnel_task task, void* context);

/* Tells an engine that a device or transport without handles has something to read, or takes
 * packets again after it said WAIT. Any thread. */
TUNNEL_API int32_t tunnel_engine_notify(tunnel_engine* engine);

/* Suspend: no packet moves and no timer runs until resume, which starts anew as after a restart: a
 * handshake or a keepalive with every known peer at once. Any thread. */
TUNNEL_API int32_t tunnel_engine_suspend(tunnel_engine* engine);
TUNNEL_API int32_t tunnel_engine_resume(tunnel_engine* engine);

/* Opens the transport's sockets anew and tells the peers. Any thread. */
TUNNEL_API int32_t tunnel_engine_rebind(tunnel_engine* engine);

/* Port and mark of the transport. set: any thread, waits for nothing; the result comes as an event
 * when it failed. get: any thread, the last known value, or a negative error. */
TUNNEL_API int32_t tunnel_engine_port(tunnel_engine* engine);
TUNNEL_API int32_t tunnel_engine_set_port(tunnel_engine* engine, uint16_t port);
TUNNEL_API int32_t tunnel_engine_set_mark(tunnel_engine* engine, uint32_t mark);

/* Switches the offloads of device and transport on (1) or off (0), see their tables; they begin as
 * their configurations say. TUNNEL_ERR_UNSUPPORTED when neither has any. Any thread. */
TUNNEL_API int32_t tunnel_engine_set_offload(tunnel_engine* engine, uint32_t enable);

/* Takes the oldest event (of core or engine) out of a bounded queue. Returns 1 or 0. Any thread.
 * The handle becomes readable while events wait; it belongs to the engine. */
TUNNEL_API int32_t tunnel_engine_next_event(tunnel_engine* engine, tunnel_event* event);
TUNNEL_API int64_t tunnel_engine_event_handle(const tunnel_engine* engine);

/* What the engine itself counted, beside tunnel_core_counters (read those with a task). Any
 * thread. */
typedef struct tunnel_engine_counters {
  uint32_t size;    /* sizeof(tunnel_engine_counters) */
  uint32_t running; /* 1 while run() is under way */
  uint64_t wakeups; /* returns from waiting */
  uint64_t device_reads, device_packets_in, device_packets_out;
  uint64_t transport_reads, transport_packets_in, transport_packets_out;
  uint64_t device_drops[TUNNEL_DROP_COUNT];    /* refused by the device, by reason */
  uint64_t transport_drops[TUNNEL_DROP_COUNT]; /* refused by the transport, by reason */
  uint64_t memory_bytes; /* held by the engine itself, from creation on; the core counts its own */
} tunnel_engine_counters;
#define TUNNEL_ENGINE_COUNTERS_INIT \
  { sizeof(tunnel_engine_counters) }
TUNNEL_API int32_t tunnel_engine_get_counters(tunnel_engine* engine,
                                              tunnel_engine_counters* counters);

TUNNEL_END_DECLS

#endif
