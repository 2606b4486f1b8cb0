/* tunnel/host/events.h - what happens to a tunnel, as it happens, over its control socket.
 *
 * The daemon hands every event of its engine to tunnel_control_event(); the control socket keeps
 * the last ones and streams them to whoever asks. */
#ifndef TUNNEL_HOST_EVENTS_H
#define TUNNEL_HOST_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/core.h>
#include <tunnel/host/control.h>

TUNNEL_BEGIN_DECLS

/* ---- the daemon's end ---- */

/* Kinds beyond the TUNNEL_EVENT_ of core and engine. The control socket itself announces REKEY
 * (a handshake while the session before it still lived), UP and DOWN. */
#define TUNNEL_EVENT_REKEY 256
#define TUNNEL_EVENT_UP 257
#define TUNNEL_EVENT_DOWN 258     /* the daemon let go of the engine: it is about to end */
#define TUNNEL_EVENT_RELOADED 259 /* for the daemon to say: its configuration was read anew */
/* For the daemon to say: another program took away a setting, of the TUNNEL_SETTING_ kind `value`,
 * and it is back; FOUGHT: this happens so often that it will be later from now on. */
#define TUNNEL_EVENT_RESTORED 260
#define TUNNEL_EVENT_FOUGHT 261
/* Of tunnel_control_looked_up: the name of a peer's endpoint has no address. */
#define TUNNEL_EVENT_NOT_RESOLVED 262

/* Keeps an event and sends it to who listens; the oldest of 1,024 is forgotten. Of initiations by
 * unknown keys only ten a second are kept, because strangers can cause them. Any thread, never
 * blocks on a client. */
TUNNEL_API int32_t tunnel_control_event(tunnel_control* control, const tunnel_event* event);

/* What the resolver has reported (tunnel_resolver_report): whoever asks for the status is told why
 * a peer has no endpoint, and who listens hears of it, once for each `reason`. `reason` null =
 * `host` has an address. Any thread. */
TUNNEL_API int32_t tunnel_control_looked_up(tunnel_control* control,
                                            const uint8_t public_key[TUNNEL_KEY_SIZE],
                                            const char* host, const char* reason);

/* ---- the other end ---- */

typedef struct tunnel_events tunnel_events;

#define TUNNEL_EVENTS_NEW UINT64_MAX /* none of the past */

/* Starts to listen to a daemon, with what it has kept since `since_ns` (wall clock; 0 = all). What
 * it has kept is there when this returns; tunnel_events_next() takes it out. On success the caller
 * owns *events. Errors as tunnel_snapshot_read; UNSUPPORTED when the daemon is not ours. */
TUNNEL_API int32_t tunnel_events_open(const char* directory, const char* name, uint64_t since_ns,
                                      tunnel_events** events);
TUNNEL_API void tunnel_events_close(tunnel_events* events);

typedef struct tunnel_notice {
  uint32_t size;     /* sizeof(tunnel_notice) */
  uint32_t kind;     /* TUNNEL_EVENT_ */
  uint64_t number;   /* from 1 in the life of the daemon; a gap = forgotten */
  uint64_t wall_ns;  /* when */
  int64_t value;     /* by kind, see tunnel_event */
  uint32_t has_key;  /* 1 = public_key is set: the peer, or the unknown key */
  uint32_t reserved; /* zero */
  tunnel_address address;
  uint8_t public_key[TUNNEL_KEY_SIZE];
  char name[64];    /* the friendly name of the peer, or "" */
  char reason[256]; /* NOT_RESOLVED: "HOST: why", cut to what fits; else "" */
} tunnel_notice;
#define TUNNEL_NOTICE_INIT \
  { sizeof(tunnel_notice) }

/* Takes the next one out. Returns 1, 0 when there is none now, or CLOSED when the daemon has gone.
 * Never waits: the handle becomes readable when there is more, or when the daemon goes. */
TUNNEL_API int32_t tunnel_events_next(tunnel_events* events, tunnel_notice* notice);
TUNNEL_API int64_t tunnel_events_handle(const tunnel_events* events);

TUNNEL_END_DECLS

#endif
