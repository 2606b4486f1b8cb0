/* tunnel/host/edit.h - changes to a wg-quick file that leave everything else in it as it is.
 *
 * Comments, order, blanks, hooks and unknown pragmas survive, byte for byte; only the lines that a
 * change is about are different afterwards. An edit belongs to one thread at a time. Keys inside
 * are wiped when it is closed. */
#ifndef TUNNEL_HOST_EDIT_H
#define TUNNEL_HOST_EDIT_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/host/config.h>
#include <tunnel/host/control.h>

TUNNEL_BEGIN_DECLS

typedef struct tunnel_config_edit tunnel_config_edit;

/* Opens a file and locks it (flock) until the edit is closed: a second edit waits here, so that
 * none is lost. A symlink is followed. The file must be without errors.
 *
 * On success the caller owns *edit. Errors and `issue` (may be null) as tunnel_config_read. */
TUNNEL_API int32_t tunnel_config_edit_open(const char* path, tunnel_config_edit** edit,
                                           tunnel_config_issue* issue);

/* The same for text in memory, which is not kept. Such an edit cannot be saved. */
TUNNEL_API int32_t tunnel_config_edit_parse(const char* text, size_t length,
                                            tunnel_config_edit** edit, tunnel_config_issue* issue);

/* Forgets what was not saved, and lets go of the file. Null is fine. */
TUNNEL_API void tunnel_config_edit_close(tunnel_config_edit* edit);

/* ---- changes ---- */

/* Appends a [Peer]. Used are public_key, and, where set, name, preshared_key, host and port (or
 * else endpoint), keepalive_s and allowed_ips. EXISTS when a peer has this key or this name
 * already; ARGUMENT for a name that cannot be written (see rename_peer). */
TUNNEL_API int32_t tunnel_config_edit_add_peer(tunnel_config_edit* edit,
                                               const tunnel_config_peer* peer);

/* Removes the [Peer] with everything in it and the comment directly above it. NOT_FOUND. */
TUNNEL_API int32_t tunnel_config_edit_remove_peer(tunnel_config_edit* edit,
                                                  const uint8_t public_key[TUNNEL_KEY_SIZE]);

/* Sets the peer's "# friendly_name = ...", or removes it when `name` is "". NOT_FOUND; EXISTS when
 * another peer has the name; ARGUMENT for more than 64 bytes, control characters, or blanks at
 * either end. */
TUNNEL_API int32_t tunnel_config_edit_rename_peer(tunnel_config_edit* edit,
                                                  const uint8_t public_key[TUNNEL_KEY_SIZE],
                                                  const char* name);

/* Sets a key ("AllowedIPs", "ListenPort") of a [Peer], or of [Interface] when `public_key` is null;
 * null or "" as `value` removes it. Lines that repeat the key become one. A new key comes after the
 * last one of its section. NOT_FOUND (no such peer), ARGUMENT (no such key there, PublicKey, or a
 * value with a line break); whether the value is right is for tunnel_config_edit_config. */
TUNNEL_API int32_t tunnel_config_edit_set(tunnel_config_edit* edit, const uint8_t* public_key,
                                          const char* key, const char* value);

/* Takes over what a running tunnel has: keys, port, mark, peers with endpoint, allowed IPs and
 * keepalive. What is the same is not touched; Address, MTU, DNS, Table, hooks and endpoints that
 * are host names stay. */
TUNNEL_API int32_t tunnel_config_edit_update(tunnel_config_edit* edit,
                                             const tunnel_snapshot* snapshot);

/* Leaves only what `wg setconf` accepts, as `wg-quick strip` does: the keys of wg-quick go, and
 * blanks at the ends of lines. */
TUNNEL_API int32_t tunnel_config_edit_strip(tunnel_config_edit* edit);

/* Makes the text what it was when the file was opened, also after a save: the next one puts the old
 * content back. UNSUPPORTED for text in memory. */
TUNNEL_API int32_t tunnel_config_edit_revert(tunnel_config_edit* edit);

/* ---- the result ---- */

/* The configuration that the text now is. On success the caller owns *config. CONFIG and an `issue`
 * (may be null) when a change made it wrong. */
TUNNEL_API int32_t tunnel_config_edit_config(const tunnel_config_edit* edit, tunnel_config** config,
                                             tunnel_config_issue* issue);

/* The text as it now is, with secrets. Writes at most `size` bytes with the final zero; returns the
 * length it would have without cut. */
TUNNEL_API int32_t tunnel_config_edit_text(const tunnel_config_edit* edit, char* text, size_t size);

/* Writes the file: at any moment, also after a power cut, it has its old content or the new one.
 * Owner and mode stay; a file that is behind a symlink is replaced there. The edit stays open.
 *
 * Errors, each leaving the file as it was: CONFIG with an `issue` (may be null) when the content is
 * wrong; IN_USE when another program changed the file since; PERMISSION; RESOURCES (no space);
 * UNSUPPORTED (text in memory); SYSTEM. */
TUNNEL_API int32_t tunnel_config_edit_save(tunnel_config_edit* edit, tunnel_config_issue* issue);

/* ---- addresses ---- */

/* The lowest address of a network of the interface (addresses[index]) that neither the interface
 * nor a peer has, as a whole address (/32, /128). Prefixes of peers that cover the whole network
 * leave it free. NOT_FOUND past the last address; LIMIT when the network is full. */
TUNNEL_API int32_t tunnel_config_next_address(const tunnel_config* config, size_t index,
                                              tunnel_prefix* address);

TUNNEL_END_DECLS

#endif
