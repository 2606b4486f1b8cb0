/* tunnel/host/control.h - the WireGuard control socket (/var/run/wireguard/NAME.sock), both ends.
 *
 * The daemon's end answers `get=1` and obeys `set=1` as every WireGuard implementation does, so
 * that `wg` works, also with a tunnel that has no kernel interface. It has a thread of its own and
 * never holds up packets for long: the core is read and changed in small pieces on the engine's
 * thread. */
#ifndef TUNNEL_HOST_CONTROL_H
#define TUNNEL_HOST_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/engine.h>
#include <tunnel/host/config.h>
#include <tunnel/host/resolver.h>
#include <tunnel/host/state.h>

TUNNEL_BEGIN_DECLS

/* ---- the daemon's end ---- */

typedef struct tunnel_control tunnel_control;

/* `listener` must be given; the socket's file is somebody else's: it is neither watched nor
 * removed. For a process that has no rights to it, see tunnel_control_file_create. */
#define TUNNEL_CONTROL_NO_FILE 0x1u

typedef struct tunnel_control_config {
  uint32_t size;               /* sizeof(tunnel_control_config) */
  uint32_t flags;              /* TUNNEL_CONTROL_ */
  const char* name;            /* of the tunnel: [a-zA-Z0-9_=+.-]{1,15} */
  const char* directory;       /* null = /var/run/wireguard; made (0700) when missing */
  tunnel_engine* engine;       /* until tunnel_control_detach */
  const tunnel_config* config; /* private key, mark and names are copied; null = none */
  /* Called once, on the control thread, when somebody deleted the socket: the daemon must end.
   * tunnel_engine_stop() is what to do here. */
  void (*removed)(void* context);
  void* context;
  /* Take over a socket that listens on the path already; used when take_listener is 1: it is closed
   * with the control from then on, also on failure. */
  int64_t listener;
  uint32_t take_listener;
  uint32_t process; /* id of the daemon, as clients are told; 0 = of the calling process */
  /* Called on the control thread for each peer that `set=1` is about to give an endpoint, or has
   * removed (null): for those who keep endpoints in another process, or let datagrams to no others
   * pass. May be null, and may take a while. Must not call back. */
  void (*endpoint)(void* context, const uint8_t public_key[TUNNEL_KEY_SIZE],
                   const tunnel_address* endpoint);
  /* Called on the control thread before `set=1` gives the socket a mark. Returns the one that it
   * shall get: routes may need one where none was asked for. May be null. Must not call back. */
  uint32_t (*mark)(void* context, uint32_t mark);
  /* Called on the control thread when `set=1` has given the socket another port: this one. May be
   * null. Must not call back. */
  void (*port)(void* context, uint16_t port);
  uint32_t fwmark; /* that the socket has already; 0 = that of `config` */
} tunnel_control_config;
#define TUNNEL_CONTROL_CONFIG_INIT \
  { sizeof(tunnel_control_config) }
TUNNEL_API void tunnel_control_config_init(tunnel_control_config* config);

/* Opens the socket (0600) and starts to answer. A socket left behind by a dead daemon is replaced.
 * Errors: IN_USE (a daemon of this name lives), PERMISSION, ARGUMENT, RESOURCES, SYSTEM. */
TUNNEL_API int32_t tunnel_control_open(const tunnel_control_config* config,
                                       tunnel_control** control);

/* Who else has to know what `set=1` changes: a peer whose endpoint was set to an address is no
 * longer looked up by the resolver, and the state keeps the address; both forget a peer that was
 * removed. Either may be null. They must live until the next call, and when it returns the old ones
 * are not used any more; so pass nulls before you destroy them. Any thread. */
TUNNEL_API int32_t tunnel_control_follow(tunnel_control* control, tunnel_resolver* resolver,
                                         tunnel_state* state);

/* Lets go of the engine; call it before tunnel_engine_destroy, when run() has ended. Requests are
 * refused from then on, connections stay. Waits for a request under way. */
TUNNEL_API void tunnel_control_detach(tunnel_control* control);

/* Closes all connections and removes the socket if it is still ours. Call it last: whoever waits in
 * tunnel_control_stop() takes it as the end of the daemon. Null is fine. */
TUNNEL_API void tunnel_control_close(tunnel_control* control);

/* ---- the socket's file by itself, for a daemon of two processes ---- */

/* One process has the rights to make and remove the file, the other answers on the socket. */
typedef struct tunnel_control_file tunnel_control_file;

/* Makes the socket (0600) and listens; `directory` as above. Errors as tunnel_control_open. On
 * success the caller owns *file. */
TUNNEL_API int32_t tunnel_control_file_create(const char* directory, const char* name,
                                              tunnel_control_file** file);

/* The socket that listens, for tunnel_control_config.listener of the other process. */
TUNNEL_API int64_t tunnel_control_file_listener(const tunnel_control_file* file);

/* Readable when the file may be gone: ask tunnel_control_file_check then. */
TUNNEL_API int64_t tunnel_control_file_handle(const tunnel_control_file* file);

/* 0 while the file is there and ours; NOT_FOUND when somebody deleted it: the daemon must end. */
TUNNEL_API int32_t tunnel_control_file_check(tunnel_control_file* file);

/* Removes the file if it is still ours, and closes both handles. Null is fine. */
TUNNEL_API void tunnel_control_file_destroy(tunnel_control_file* file);

/* ---- the other end ---- */

#define TUNNEL_CONTROL_TIMEOUT_MS 5000

/* Names of the tunnels in the directory (null = the default) whose daemon lives, sorted. Copies up
 * to `max`; *count gets how many there are. Dead sockets are left alone. */
TUNNEL_API int32_t tunnel_control_list(const char* directory, char (*names)[16], size_t max,
                                       size_t* count);

/* Ends a daemon by deleting its socket and waits until it has gone. Errors: NOT_FOUND (none runs;
 * a dead socket is removed), PERMISSION, TIMEOUT (it was told, but still lives). */
TUNNEL_API int32_t tunnel_control_stop(const char* directory, const char* name,
                                       uint32_t timeout_ms);

/* tunnel_control_change_peer: `change` */
#define TUNNEL_CONTROL_PEER_SET 1    /* make it, or give it everything that `peer` says */
#define TUNNEL_CONTROL_PEER_REMOVE 2 /* only public_key matters */
#define TUNNEL_CONTROL_PEER_RENAME 3 /* only public_key and name matter; no peer = nothing */

/* Changes one peer of a running tunnel; sessions, its own too, are kept. Of `peer` the endpoint is
 * used as an address only: names are for the daemon's resolver. Errors: NOT_FOUND (none runs),
 * PERMISSION, TIMEOUT, ARGUMENT, UNSUPPORTED (it answered something else), or what it refused. */
TUNNEL_API int32_t tunnel_control_change_peer(const char* directory, const char* name,
                                              const tunnel_config_peer* peer, uint32_t change,
                                              uint32_t timeout_ms);

/* Makes a running tunnel what a configuration says, by the differences only: keys, port, mark and
 * peers; sessions are kept. Port and mark stay when the file does not name them, and addresses,
 * MTU, routes and name servers are not touched. Works with every WireGuard implementation; names of
 * peers and endpoints that are host names reach only ours. Errors as tunnel_snapshot_read, and what
 * the daemon refused: IN_USE for a port that is taken; then what came before it holds. Any thread.
 */
TUNNEL_API int32_t tunnel_control_sync(const char* directory, const char* name,
                                       const tunnel_config* config, uint32_t timeout_ms);

/* What a daemon said about itself. Works with every WireGuard implementation; what only ours knows
 * is zero then. Any thread may look at it. */
typedef struct tunnel_snapshot tunnel_snapshot;

/* Asks a daemon. On success the caller owns *snapshot. Errors: NOT_FOUND (none runs), PERMISSION,
 * TIMEOUT, CLOSED (it hung up), UNSUPPORTED (it answered something else). */
TUNNEL_API int32_t tunnel_snapshot_read(const char* directory, const char* name,
                                        uint32_t timeout_ms, tunnel_snapshot** snapshot);
TUNNEL_API void tunnel_snapshot_destroy(tunnel_snapshot* snapshot);

/* No secrets: whether there is a private key, not which. */
typedef struct tunnel_snapshot_interface {
  uint32_t size; /* sizeof(tunnel_snapshot_interface) */
  uint32_t ours; /* 1 = a libtunnel daemon: the rest below `peer_count` is known */
  uint32_t fwmark;
  uint16_t port;
  uint16_t has_key;                    /* 1 = public_key is set */
  uint8_t public_key[TUNNEL_KEY_SIZE]; /* ours */
  size_t peer_count;
  uint64_t since_s; /* wall clock: when the daemon opened its socket */
  uint32_t mtu;
  uint32_t process; /* process id of the daemon */
  uint32_t profile; /* TUNNEL_PROFILE_ of the core: PLAIN protects nothing */
  uint32_t reserved;
  const char* file; /* that it was started from, or ""; lives as long as the snapshot */
} tunnel_snapshot_interface;
#define TUNNEL_SNAPSHOT_INTERFACE_INIT \
  { sizeof(tunnel_snapshot_interface) }
TUNNEL_API int32_t tunnel_snapshot_get_interface(const tunnel_snapshot* snapshot,
                                                 tunnel_snapshot_interface* out);

/* What the daemon's core counted; all zero when the daemon is not ours. */
TUNNEL_API int32_t tunnel_snapshot_get_counters(const tunnel_snapshot* snapshot,
                                                tunnel_counters* out);

/* What the daemon's engine counted, with the packets that its device and its transport refused;
 * all zero when the daemon is not ours. */
TUNNEL_API int32_t tunnel_snapshot_get_engine(const tunnel_snapshot* snapshot,
                                              tunnel_engine_counters* out);

typedef struct tunnel_snapshot_peer {
  uint32_t size; /* sizeof(tunnel_snapshot_peer) */
  uint32_t keepalive_s;
  uint8_t public_key[TUNNEL_KEY_SIZE];
  uint32_t has_preshared_key;
  uint32_t has_session; /* ours only: data can be sent without a handshake */
  tunnel_address endpoint;
  uint64_t latest_handshake_ns; /* wall clock, 0 = never */
  uint64_t handshake_ns;        /* ours only: how long the last handshake we began took */
  uint64_t rx_bytes;
  uint64_t tx_bytes;
  const char* name; /* ours only, else "" ; lives as long as the snapshot */
  const tunnel_prefix* allowed_ips;
  size_t allowed_ip_count;
  const char* not_resolved; /* ours only: "HOST: why" it has no address, else ""; lives as above */
} tunnel_snapshot_peer;
#define TUNNEL_SNAPSHOT_PEER_INIT \
  { sizeof(tunnel_snapshot_peer) }
/* NOT_FOUND past the end. */
TUNNEL_API int32_t tunnel_snapshot_get_peer(const tunnel_snapshot* snapshot, size_t index,
                                            tunnel_snapshot_peer* out);

TUNNEL_END_DECLS

#endif
