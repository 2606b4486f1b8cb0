/* tunnel/host/config.h - the wg-quick file: [Interface] and [Peer] sections.
 *
 * Reading is all or nothing: an error leaves no half-read configuration. A configuration does not
 * change after it was read, so any thread may look at it. Keys inside are wiped when it is
 * destroyed. */
#ifndef TUNNEL_HOST_CONFIG_H
#define TUNNEL_HOST_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/core.h>
#include <tunnel/keys.h>
#include <tunnel/packet.h>
#include <tunnel/status.h>

TUNNEL_BEGIN_DECLS

typedef struct tunnel_config tunnel_config;

/* ---- what is wrong, and where ---- */

/* An error or a warning with its place. Texts never contain key material: `text` is the offending
 * line (or the part of it around the fault) with values that may be secret replaced by
 * "(hidden)". */
typedef struct tunnel_config_issue {
  uint32_t size;     /* sizeof(tunnel_config_issue) */
  uint32_t line;     /* from 1; 0 = the file as a whole, then column and text are empty too */
  uint32_t column;   /* from 1, in characters */
  uint32_t caret;    /* characters of `text` before the fault */
  uint32_t span;     /* characters of `text` that are at fault, at least 1 */
  int32_t status;    /* TUNNEL_ERR_, or 0 for a warning */
  char message[224]; /* "MTU 70000 is not between 68 and 65535" */
  char hint[160];    /* "did you mean 'AllowedIPs'?", or "" */
  char text[320];
  uint32_t former_line; /* a warning that `prefix` moves here: the line of the [Peer] that had it
                         * before; else 0 */
  tunnel_prefix prefix;
} tunnel_config_issue;
#define TUNNEL_CONFIG_ISSUE_INIT \
  { sizeof(tunnel_config_issue) }
TUNNEL_API void tunnel_config_issue_init(tunnel_config_issue* issue);

/* The issue as a terminal shows it: "FILE:LINE:COLUMN: message", the line, a caret, the hint.
 * Writes at most `size` bytes with the final zero; returns the length it would have without cut. */
TUNNEL_API int32_t tunnel_config_issue_text(const tunnel_config_issue* issue, const char* file,
                                            char* text, size_t size);

/* ---- reading ---- */

/* Reads and checks a file. Only a regular file is read (a symlink to one is fine), up to 64 MiB.
 * A file that others may read gives a warning.
 *
 * On success the caller owns *config. Errors: CONFIG (the content is wrong), NOT_FOUND, PERMISSION,
 * UNSUPPORTED (not a regular file), LIMIT, SYSTEM. `issue` (may be null) says what and where. */
TUNNEL_API int32_t tunnel_config_read(const char* path, tunnel_config** config,
                                      tunnel_config_issue* issue);

/* The same for text in memory. The text is not kept. */
TUNNEL_API int32_t tunnel_config_parse(const char* text, size_t length, tunnel_config** config,
                                       tunnel_config_issue* issue);

/* The same for a tunnel of TUNNEL_PROFILE_PLAIN, which protects nothing: a text with PrivateKey or
 * PresharedKey is refused (CONFIG), because whoever has keys expects them to be used. A PublicKey
 * is only the peer's name. tunnel_config_interface.fields gets TUNNEL_CONFIG_PLAIN; the core for
 * tunnel_config_apply must be of that profile. */
TUNNEL_API int32_t tunnel_config_parse_plain(const char* text, size_t length,
                                             tunnel_config** config, tunnel_config_issue* issue);

/* Wipes the keys and frees everything. Null is fine. */
TUNNEL_API void tunnel_config_destroy(tunnel_config* config);

/* Warnings in the order of the file. tunnel_config_warning: NOT_FOUND past the end. */
TUNNEL_API size_t tunnel_config_warning_count(const tunnel_config* config);
TUNNEL_API int32_t tunnel_config_warning(const tunnel_config* config, size_t index,
                                         tunnel_config_issue* issue);

/* ---- content; pointers live as long as the configuration ---- */

/* tunnel_config_interface.fields: which keys the file has */
#define TUNNEL_CONFIG_PRIVATE_KEY 0x0001u
#define TUNNEL_CONFIG_LISTEN_PORT 0x0002u
#define TUNNEL_CONFIG_FWMARK 0x0004u
#define TUNNEL_CONFIG_MTU 0x0008u
#define TUNNEL_CONFIG_TABLE_OFF 0x0010u /* Table = off: no routes */
#define TUNNEL_CONFIG_TABLE 0x0020u     /* Table is a number: `table` */
#define TUNNEL_CONFIG_SAVE 0x0040u      /* SaveConfig = true */
#define TUNNEL_CONFIG_PLAIN 0x0080u     /* made by tunnel_config_parse_plain */

typedef struct tunnel_config_interface {
  uint32_t size;                  /* sizeof(tunnel_config_interface) */
  uint32_t fields;                /* TUNNEL_CONFIG_ */
  uint32_t mtu;                   /* 0 = not given */
  uint32_t fwmark;                /* 0 = off */
  uint16_t port;                  /* ListenPort, 0 = any */
  uint16_t reserved16;            /* zero */
  uint32_t reserved32;            /* zero */
  const uint8_t* private_key;     /* 32 bytes, null = not given */
  const tunnel_prefix* addresses; /* Address: host bits are kept */
  size_t address_count;
  size_t peer_count;
  const tunnel_address* dns_servers; /* DNS: what looks like an address; ports are 0 */
  size_t dns_server_count;
  const char* const* search_domains; /* DNS: everything else */
  size_t search_domain_count;
  uint32_t table; /* routing table, 0 = auto or off */
  uint32_t reserved;
  const char* file; /* absolute path, symlinks followed; "" = text in memory */
} tunnel_config_interface;
#define TUNNEL_CONFIG_INTERFACE_INIT \
  { sizeof(tunnel_config_interface) }
TUNNEL_API int32_t tunnel_config_get_interface(const tunnel_config* config,
                                               tunnel_config_interface* out);

/* Commands of the file, each for `bash -c`; "%i" in them stands for the interface. The library
 * never runs them. */
#define TUNNEL_HOOK_PRE_UP 1
#define TUNNEL_HOOK_POST_UP 2
#define TUNNEL_HOOK_PRE_DOWN 3
#define TUNNEL_HOOK_POST_DOWN 4
/* Commands of a kind in the order of the file. Null past the end. */
TUNNEL_API const char* tunnel_config_hook(const tunnel_config* config, uint32_t kind, size_t index);

typedef struct tunnel_config_peer {
  uint32_t size;                /* sizeof(tunnel_config_peer) */
  uint32_t line;                /* of its [Peer] */
  uint32_t keepalive_s;         /* PersistentKeepalive, 0 = off */
  uint16_t port;                /* of the endpoint */
  uint16_t reserved;            /* zero */
  const uint8_t* public_key;    /* 32 bytes */
  const uint8_t* preshared_key; /* 32 bytes, null = none */
  const char* name;             /* "# friendly_name = ...", or "" */
  const char* host;             /* of the endpoint as written, without brackets; "" = none */
  tunnel_address endpoint;      /* family NONE when there is none or `host` is a name */
  const tunnel_prefix* allowed_ips;
  size_t allowed_ip_count;
} tunnel_config_peer;
#define TUNNEL_CONFIG_PEER_INIT \
  { sizeof(tunnel_config_peer) }
/* Peers in the order of the file. NOT_FOUND past the end. */
TUNNEL_API int32_t tunnel_config_get_peer(const tunnel_config* config, size_t index,
                                          tunnel_config_peer* out);

/* The friendly name of a public key, or "" when there is none. */
TUNNEL_API const char* tunnel_config_peer_name(const tunnel_config* config,
                                               const uint8_t public_key[TUNNEL_KEY_SIZE]);

/* ---- use ---- */

/* Whether the file can be run on a machine: CONFIG and an `issue` with the position when it cannot,
 * because [Interface] has no PrivateKey. */
TUNNEL_API int32_t tunnel_config_check(const tunnel_config* config, tunnel_config_issue* issue);

/* Gives the core our private key and all peers. Endpoints that are names stay unset: see
 * resolver.h. On failure the core may have some of the peers: destroy it. Errors as
 * tunnel_core_set_peer. */
TUNNEL_API int32_t tunnel_config_apply(const tunnel_config* config, tunnel_core* core);

/* The name of the tunnel in a path: "/etc/wireguard/wg0.conf" gives "wg0". ARGUMENT when it is not
 * 1-15 of the characters [a-zA-Z0-9_=+.-]. */
TUNNEL_API int32_t tunnel_config_tunnel_name(const char* path, char name[16]);

TUNNEL_END_DECLS

#endif
