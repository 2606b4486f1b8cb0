/* tunnel/core.h - a whole WireGuard tunnel with many peers, without any I/O.
 *
 * The core never calls out: no sockets, clocks, threads or loggers. The caller hands in packets and
 * the time and gets verdicts, packets to write and a deadline. Five calls make a tunnel: create,
 * set_peer, seal, open, poll.
 *
 * Threads: a core is used by one thread at a time. Nothing here blocks or calls back. Memory is
 * taken in create, set_peer and at a rekey only. */
#ifndef TUNNEL_CORE_H
#define TUNNEL_CORE_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/cipher.h>
#include <tunnel/keys.h>
#include <tunnel/packet.h>
#include <tunnel/router.h>

TUNNEL_BEGIN_DECLS

typedef struct tunnel_core tunnel_core;

/* ---- create ---- */

#define TUNNEL_PROFILE_WIREGUARD 0
/* No protection at all: an inside IP packet is a datagram, byte for byte, without any header. For
 * programs that speak this format, and for measuring; everybody on the way reads and forges it.
 * A peer is found by the remote address and port of a datagram, which must equal its endpoint.
 * Endpoints are set by set_peer only (never learnt), belong to one peer each (TUNNEL_ERR_IN_USE),
 * and are no wildcard. A peer's public_key is a name of 32 bytes that the caller chooses, any but
 * all zero; other keys are refused (TUNNEL_ERR_UNSUPPORTED). Keepalives are stored and not sent. */
#define TUNNEL_PROFILE_PLAIN 1
#define TUNNEL_INNER_IP 0
#define TUNNEL_INNER_ETHERNET 1 /* needs an own router; not in the plain profile */

/* flags: for a process that may have little memory, like a phone's extension, or that makes many
 * cores: staging_bytes 0 means 256 KiB, and 128 handshake messages may wait instead of 1,024. */
#define TUNNEL_CORE_SMALL 0x0001u

#define TUNNEL_MTU_DEFAULT 1420
#define TUNNEL_MTU_ZERO UINT32_MAX /* as config.mtu: really zero, padding has no bound */

typedef struct tunnel_core_config {
  uint32_t size;          /* sizeof(tunnel_core_config) */
  uint32_t profile;       /* TUNNEL_PROFILE_ */
  uint32_t inner;         /* TUNNEL_INNER_ */
  uint32_t mtu;           /* inside MTU, 0 = TUNNEL_MTU_DEFAULT */
  uint32_t staging_bytes; /* pool for packets that wait for a handshake; 0 = 1 MiB,
                             TUNNEL_STAGING_NONE = none: seal answers WAIT */
  uint32_t max_peers;     /* 0 = 1 Mi */
  uint32_t max_sessions;  /* 0 = 4 x max_peers; also bounds handshakes in progress */
  uint32_t flags;         /* TUNNEL_CORE_ */
  /* Wall time below which no handshake timestamp is sent (a device without a clock battery stores
   * it, see TUNNEL_EVENT_TIMESTAMP_FLOOR). 0 = none. */
  uint64_t timestamp_floor_ns;
  /* 32 bytes that seed everything random, for reproducible tests; null = the system's generator.
   * Never use it in production: sessions become predictable. */
  const uint8_t* test_seed;
  tunnel_cipher cipher; /* ops null = the best built in */
  tunnel_router router; /* ops null = allowed IPs, built in */
} tunnel_core_config;

#define TUNNEL_STAGING_NONE UINT32_MAX
#define TUNNEL_CORE_CONFIG_INIT \
  { sizeof(tunnel_core_config) }
/* The same as the macro, for languages that see no macros. */
TUNNEL_API void tunnel_core_config_init(tunnel_core_config* config);

/* Makes a core without private key and peers. On success the caller owns *core. A cipher table of
 * the caller must pass a self-check: TUNNEL_ERR_SELF_TEST. */
TUNNEL_API int32_t tunnel_core_create(const tunnel_core_config* config, tunnel_core** core);

/* Wipes every key and frees the core. Null is fine. */
TUNNEL_API void tunnel_core_destroy(tunnel_core* core);

/* What a buffer must offer so that this core can seal, open and poll into it. */
typedef struct tunnel_layout {
  uint32_t size;        /* sizeof(tunnel_layout) */
  uint32_t headroom;    /* bytes before an inside packet */
  uint32_t tailroom;    /* bytes after the padded packet */
  uint32_t padding;     /* inside packets are padded to a multiple */
  uint32_t mtu;         /* inside MTU in force */
  uint32_t poll_buffer; /* bytes a poll buffer must have */
  uint32_t profile;     /* TUNNEL_PROFILE_ of the core */
} tunnel_layout;
#define TUNNEL_LAYOUT_INIT \
  { sizeof(tunnel_layout) }
TUNNEL_API int32_t tunnel_core_layout(const tunnel_core* core, tunnel_layout* layout);

/* Sets our private key, or clears it when `key` is null: then nothing is sent or opened. A changed
 * key drops handshakes and sessions, removes a peer that has the new public key, and starts new
 * handshakes with the next packets. A core of the plain profile takes none:
 * TUNNEL_ERR_UNSUPPORTED. */
TUNNEL_API int32_t tunnel_core_set_private_key(tunnel_core* core, const uint8_t* key);

/* Our public key. TUNNEL_ERR_NOT_FOUND when no private key is set. */
TUNNEL_API int32_t tunnel_core_public_key(const tunnel_core* core, uint8_t key[TUNNEL_KEY_SIZE]);

/* Changes the inside MTU, the bound of padding (0 is legal: no bound). */
TUNNEL_API int32_t tunnel_core_set_mtu(tunnel_core* core, uint32_t mtu);

/* Bounds memory_bytes (see tunnel_core_counters); 0 = no bound, as after create. What would take
 * more is refused before anything changes: a peer or prefix with TUNNEL_ERR_MEMORY, a handshake or
 * session with TUNNEL_DROP_EXHAUSTED. Staging and waiting handshakes have their memory from the
 * beginning. TUNNEL_ERR_MEMORY when the core holds more already; the bound is then as it was. */
TUNNEL_API int32_t tunnel_core_set_memory_limit(tunnel_core* core, uint64_t bytes);

/* ---- peers ---- */

/* tunnel_peer_config.fields: which members are meant */
#define TUNNEL_PEER_PRESHARED_KEY 0x0001u
#define TUNNEL_PEER_ENDPOINT 0x0002u
#define TUNNEL_PEER_KEEPALIVE 0x0004u
#define TUNNEL_PEER_GREATEST_TIMESTAMP 0x0008u
/* tunnel_peer_config.flags */
#define TUNNEL_PEER_CREATE_ONLY 0x0001u      /* TUNNEL_ERR_EXISTS when it exists */
#define TUNNEL_PEER_UPDATE_ONLY 0x0002u      /* TUNNEL_ERR_NOT_FOUND when it does not */
#define TUNNEL_PEER_REPLACE_PREFIXES 0x0004u /* drop all prefixes first */

typedef struct tunnel_peer_config {
  uint32_t size;        /* sizeof(tunnel_peer_config) */
  uint32_t fields;      /* TUNNEL_PEER_ field bits */
  uint32_t flags;       /* TUNNEL_PEER_ flag bits */
  uint32_t keepalive_s; /* persistent keepalive, 0 = off, at most 65535 */
  uint8_t public_key[TUNNEL_KEY_SIZE];
  uint8_t preshared_key[TUNNEL_KEY_SIZE]; /* all zero = none; applies from the next handshake */
  tunnel_address endpoint;                /* family NONE clears it */
  uint8_t greatest_timestamp[12];         /* TAI64N of the last initiation accepted, persisted */
  uint32_t reserved;
  const tunnel_prefix* prefixes; /* added (or taken away); moves a prefix from another peer */
  size_t prefix_count;
} tunnel_peer_config;
#define TUNNEL_PEER_CONFIG_INIT \
  { sizeof(tunnel_peer_config) }
TUNNEL_API void tunnel_peer_config_init(tunnel_peer_config* config);

/* Makes or changes the peer with this public key, in place: sessions are kept. Either everything is
 * applied or nothing; only after TUNNEL_ERR_MEMORY some of the prefixes may have changed. `peer`
 * (may be null) gets the id: never 0, never reused in a process. Our own public key and one of low
 * order are TUNNEL_ERR_KEY. Call poll afterwards: a keepalive may be due at once. */
TUNNEL_API int32_t tunnel_core_set_peer(tunnel_core* core, const tunnel_peer_config* config,
                                        uint64_t* peer);

/* Forgets a peer: wipes its keys, takes its prefixes away. TUNNEL_ERR_NOT_FOUND for a dead id. */
TUNNEL_API int32_t tunnel_core_remove_peer(tunnel_core* core, uint64_t peer);

typedef struct tunnel_peer_info {
  uint32_t size; /* sizeof(tunnel_peer_info) */
  uint32_t keepalive_s;
  uint8_t public_key[TUNNEL_KEY_SIZE];
  uint8_t preshared_key[TUNNEL_KEY_SIZE]; /* a secret: wipe it after use */
  tunnel_address endpoint;
  uint8_t greatest_timestamp[12];
  uint32_t has_session;         /* 1 when data can be sent without a handshake; plain: 1 when the
                                   endpoint is known */
  uint64_t latest_handshake_ns; /* wall clock, 0 = never */
  uint64_t rx_bytes;            /* outside bytes (UDP payload) of what was accepted */
  uint64_t tx_bytes;
  uint64_t prefix_count;
  uint64_t handshake_ns; /* from the first initiation to the session, last handshake we began */
} tunnel_peer_info;
#define TUNNEL_PEER_INFO_INIT \
  { sizeof(tunnel_peer_info) }
TUNNEL_API int32_t tunnel_core_get_peer(const tunnel_core* core, uint64_t peer,
                                        tunnel_peer_info* info);

/* The id for a public key; TUNNEL_ERR_NOT_FOUND when there is none. */
TUNNEL_API int32_t tunnel_core_find_peer(const tunnel_core* core,
                                         const uint8_t public_key[TUNNEL_KEY_SIZE], uint64_t* peer);

/* Walks over all peers: start with *cursor = 0; returns 0 and the next id in *peer, or
 * TUNNEL_ERR_NOT_FOUND at the end. Peers may be added and removed between calls. */
TUNNEL_API int32_t tunnel_core_next_peer(const tunnel_core* core, uint64_t* cursor, uint64_t* peer);

/* Copies up to `max` prefixes of a peer; *count gets how many there are. */
TUNNEL_API int32_t tunnel_core_peer_prefixes(const tunnel_core* core, uint64_t peer,
                                             tunnel_prefix* prefixes, size_t max, size_t* count);

/* ---- packets ---- */

/* Turns inside packets into datagrams, in place.
 *
 * Give each packet TUNNEL_HEADROOM writable bytes before it and room for padding and tag after it
 * (tunnel_core_layout; `room` counts from data). Afterwards every packet has a verdict: SEND (write
 * data/length to packet.remote, from packet.local when its family is set), HELD (the core kept a
 * copy until the handshake ends), WAIT (no staging pool: keep it and offer it again) or a DROP
 * reason. Handshakes that became necessary are not here: call tunnel_core_poll() after each batch.
 * A packet with DROP_NO_PEER or DROP_NO_ENDPOINT is as it was, so that it can be answered (ICMP).
 *
 * Returns 0, or a negative error; then no packet was touched. */
TUNNEL_API int32_t tunnel_core_seal(tunnel_core* core, tunnel_packet* packets, size_t count,
                                    const tunnel_time* now);

/* Turns datagrams into inside packets, in place.
 *
 * packet.remote is where the datagram came from, packet.local (optional) where it arrived.
 * Afterwards: DELIVER (data/length is an inside packet of packet.peer), CONSUMED (handshake or
 * keepalive), REPLY (a cookie reply was written over the datagram: send it back to packet.remote)
 * or a DROP reason. Never does a Diffie-Hellman: handshakes are queued for tunnel_core_poll().
 *
 * Returns 0, or a negative error; then no packet was touched. */
TUNNEL_API int32_t tunnel_core_open(tunnel_core* core, tunnel_packet* packets, size_t count,
                                    const tunnel_time* now);

/* The same in three steps, for callers who run the cipher elsewhere: on other threads, say.
 *
 *   count = tunnel_core_seal_plan(core, packets, n, jobs, &now);
 *   cipher.ops->seal(cipher.self, jobs, count);
 *   tunnel_core_seal_commit(core, packets, n, jobs, &now);
 *
 * and likewise for open. `cipher` is the table of tunnel_core_cipher(): any thread may call it, and
 * the jobs may be given to it in as many pieces as you like. `jobs` has room for n jobs; plan
 * returns how many it filled, from the front, which may be none. Until commit, packets, their bytes
 * and the jobs stay where they are; a verdict NONE says that a packet has a job. Between the two
 * the core may be used for anything else, also for other plans. Commit those of one verb in the
 * order in which they were planned, each exactly once, and all before the core is destroyed. A
 * packet whose session was given up meanwhile is TUNNEL_DROP_EXPIRED_KEY.
 *
 * Plan returns a negative error when no packet was touched. */
TUNNEL_API int32_t tunnel_core_seal_plan(tunnel_core* core, tunnel_packet* packets, size_t count,
                                         tunnel_aead_job* jobs, const tunnel_time* now);
TUNNEL_API int32_t tunnel_core_seal_commit(tunnel_core* core, tunnel_packet* packets, size_t count,
                                           const tunnel_aead_job* jobs, const tunnel_time* now);
TUNNEL_API int32_t tunnel_core_open_plan(tunnel_core* core, tunnel_packet* packets, size_t count,
                                         tunnel_aead_job* jobs, const tunnel_time* now);
TUNNEL_API int32_t tunnel_core_open_commit(tunnel_core* core, tunnel_packet* packets, size_t count,
                                           const tunnel_aead_job* jobs, const tunnel_time* now);

/* Runs what is due: timers, queued handshakes (at most `budget` with a Diffie-Hellman), staged
 * packets.
 *
 * `packets` are empty buffers of `room` >= layout.poll_buffer bytes from data on; the first
 * returned ones are filled, with verdict SEND. Fewer buffers or budget than work is no error: the
 * deadline is then not later than `now`, and the rest comes with the next call.
 *
 * Returns the number of packets filled, or a negative error; then ask for the deadline. */
TUNNEL_API int32_t tunnel_core_poll(tunnel_core* core, tunnel_packet* packets, size_t count,
                                    uint32_t budget, const tunnel_time* now);

/* The monotonic time at which poll must be called next: not later than the last `now` while work
 * waits, TUNNEL_TIME_NEVER when nothing is pending. Every other call may bring it forward. */
TUNNEL_API uint64_t tunnel_core_deadline(const tunnel_core* core);

/* Asks for a handshake with a peer whose endpoint is known, now, unless one is in progress or was
 * just made (one initiation per 5 s). peer 0: with every such peer, paced at 1,000 a second, as a
 * node does that has just been restarted. TUNNEL_ERR_UNSUPPORTED in the plain profile. */
TUNNEL_API int32_t tunnel_core_initiate(tunnel_core* core, uint64_t peer, const tunnel_time* now);

/* Says that local addresses or routes changed: forgets sticky source addresses, lets handshakes
 * start again at once, and queues a keepalive to every peer with a session so that roaming is
 * noticed. */
TUNNEL_API int32_t tunnel_core_network_changed(tunnel_core* core, const tunnel_time* now);

/* Forgets every session and handshake in progress, keeps peers and their greatest timestamps. */
TUNNEL_API int32_t tunnel_core_forget_sessions(tunnel_core* core);

/* ---- events and counters ---- */

#define TUNNEL_EVENT_HANDSHAKE 1        /* a session was established; value = 1 as initiator */
#define TUNNEL_EVENT_HANDSHAKE_FAILED 2 /* 90 s without an answer: staged packets were dropped */
#define TUNNEL_EVENT_ENDPOINT 3         /* the peer's endpoint moved to `address` */
#define TUNNEL_EVENT_TIMESTAMP 4        /* greatest_timestamp of the peer moved (persist it) */
#define TUNNEL_EVENT_TIMESTAMP_FLOOR 5  /* value = the floor to store, wall ns */
#define TUNNEL_EVENT_UNDER_LOAD 6       /* value = 1 handshake queue fills, 0 relaxed */
#define TUNNEL_EVENT_PEER_EXPIRED 7     /* the peer's keys were wiped after 540 s of silence */
#define TUNNEL_EVENT_UNKNOWN_KEY 8  /* an authentic initiation by an unconfigured `public_key` */
#define TUNNEL_EVENT_OVERFLOW 9     /* value events were lost from mono_ns on: nobody pulled */
#define TUNNEL_EVENT_NETWORK 10     /* engine: a local address or route changed */
#define TUNNEL_EVENT_DEVICE_LOST 11 /* engine: the device is gone */
#define TUNNEL_EVENT_TRANSPORT 12   /* engine: value = an error of the transport */

typedef struct tunnel_event {
  uint32_t size; /* sizeof(tunnel_event) */
  uint32_t kind; /* TUNNEL_EVENT_ */
  uint64_t peer; /* 0 = the core */
  int64_t value;
  uint64_t mono_ns; /* when */
  tunnel_address address;
  uint8_t public_key[TUNNEL_KEY_SIZE];
} tunnel_event;
#define TUNNEL_EVENT_INIT \
  { sizeof(tunnel_event) }

/* Takes the oldest event out of the bounded queue (256). Returns 1, or 0 when there is none. What
 * events announce can be read as well: after TUNNEL_EVENT_OVERFLOW ask get_peer and counters. */
TUNNEL_API int32_t tunnel_core_next_event(tunnel_core* core, tunnel_event* event);

typedef struct tunnel_counters {
  uint32_t size; /* sizeof(tunnel_counters) */
  uint32_t under_load;
  uint64_t rx_packets; /* datagrams given to open */
  uint64_t rx_bytes;
  uint64_t tx_packets; /* datagrams made by seal, poll */
  uint64_t tx_bytes;
  uint64_t delivered_packets; /* inside packets out of open */
  uint64_t delivered_bytes;
  uint64_t handshakes_initiated; /* initiations sent, retries too */
  uint64_t handshakes_responded; /* responses sent */
  uint64_t handshakes_completed;
  uint64_t cookie_replies;
  uint64_t keepalives_sent;
  uint64_t keepalives_received;
  uint64_t staged_packets;           /* waiting now */
  uint64_t peers;                    /* configured */
  uint64_t sessions;                 /* in memory now */
  uint64_t memory_bytes;             /* taken by the core now */
  uint64_t drops[TUNNEL_DROP_COUNT]; /* by verdict - TUNNEL_DROP_FIRST */
  uint64_t timestamp_floor_ns;       /* to be stored now: what the last event of that kind said */
  uint64_t cookies_received;         /* of those we called: they are under load */
  uint64_t memory_peak_bytes;        /* the most that memory_bytes ever was */
} tunnel_counters;
#define TUNNEL_COUNTERS_INIT \
  { sizeof(tunnel_counters) }
TUNNEL_API int32_t tunnel_core_counters(const tunnel_core* core, tunnel_counters* counters);

/* The cipher table in use: the configured one, or what was chosen at create; its ops->name is for
 * people. Lives as long as any table of its provider. */
TUNNEL_API int32_t tunnel_core_cipher(const tunnel_core* core, tunnel_cipher* cipher);

TUNNEL_END_DECLS

#endif
