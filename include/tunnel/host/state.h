/* tunnel/host/state.h - last endpoints of the peers in a small file.
 *
 * A server does not know where its peers are until they speak. With this file a restarted one does,
 * and initiates at once. The file (DIRECTORY/NAME.endpoints, 0600) is replaced atomically, at most
 * once a second, by a thread of its own. Losing it loses nothing but time. */
#ifndef TUNNEL_HOST_STATE_H
#define TUNNEL_HOST_STATE_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/core.h>

TUNNEL_BEGIN_DECLS

typedef struct tunnel_state tunnel_state;

/* Reads the file, if there is one. `directory` null = /var/lib/simplevpn; made (0700) when missing.
 * A damaged file counts as empty. On success the caller owns *state. Errors: PERMISSION, ARGUMENT
 * (bad name), SYSTEM; a daemon may well go on without. */
TUNNEL_API int32_t tunnel_state_open(const char* directory, const char* name, tunnel_state** state);

/* Gives stored endpoints to those peers of the core that have none, and forgets peers that the core
 * does not know. Call it after tunnel_config_apply, before the engine runs. */
TUNNEL_API int32_t tunnel_state_apply(tunnel_state* state, tunnel_core* core);

/* Hand in every event of the engine: a moved endpoint is written soon. Any thread, never blocks on
 * the disk. */
TUNNEL_API int32_t tunnel_state_event(tunnel_state* state, const tunnel_event* event);

/* Keeps an endpoint that was set by hand, or forgets the peer (null). Any thread, never blocks on
 * the disk. */
TUNNEL_API int32_t tunnel_state_set(tunnel_state* state, const uint8_t public_key[TUNNEL_KEY_SIZE],
                                    const tunnel_address* endpoint);

/* Deletes the file of a tunnel whose daemon has ended; null = of all such tunnels. `directory` as
 * above. No file is fine. Errors: IN_USE (it runs; with null such are passed over), PERMISSION,
 * ARGUMENT (bad name), SYSTEM. Any thread. */
TUNNEL_API int32_t tunnel_state_remove(const char* directory, const char* name);

/* Writes what is not yet written and frees the state. Null is fine. */
TUNNEL_API void tunnel_state_destroy(tunnel_state* state);

TUNNEL_END_DECLS

#endif
