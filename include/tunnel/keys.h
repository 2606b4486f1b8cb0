/* tunnel/keys.h - making and reading keys. All functions may be called from any thread.
 *
 * A key is 32 bytes. Its text form is the base64 of the WireGuard tools: 44 characters and a final
 * zero byte. Text conversion of secrets runs in constant time. */
#ifndef TUNNEL_KEYS_H
#define TUNNEL_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/status.h>

TUNNEL_BEGIN_DECLS

#define TUNNEL_KEY_SIZE 32
#define TUNNEL_KEY_TEXT_SIZE 45 /* base64 and the final zero byte */

/* Fills `key` with a new private key (clamped X25519 scalar) or preshared key. The caller wipes it
 * with tunnel_key_wipe() when done. Returns 0 or TUNNEL_ERR_ARGUMENT, TUNNEL_ERR_UNAVAILABLE. */
TUNNEL_API int32_t tunnel_key_generate_private(uint8_t key[TUNNEL_KEY_SIZE]);
TUNNEL_API int32_t tunnel_key_generate_preshared(uint8_t key[TUNNEL_KEY_SIZE]);

/* Public key of a private key (RFC 7748 X25519 with the base point). */
TUNNEL_API int32_t tunnel_key_public(const uint8_t private_key[TUNNEL_KEY_SIZE],
                                     uint8_t public_key[TUNNEL_KEY_SIZE]);

/* Base64 text of a key; `text` has room for TUNNEL_KEY_TEXT_SIZE bytes and is zero terminated. */
TUNNEL_API int32_t tunnel_key_to_text(const uint8_t key[TUNNEL_KEY_SIZE],
                                      char text[TUNNEL_KEY_TEXT_SIZE]);

/* Reads 44 base64 characters (`length` excludes a terminator). Anything else, also a key with stray
 * bits in its last character, is TUNNEL_ERR_KEY and leaves `key` zeroed. */
TUNNEL_API int32_t tunnel_key_from_text(const char* text, size_t length,
                                        uint8_t key[TUNNEL_KEY_SIZE]);

/* Overwrites memory with zeros in a way that a compiler does not remove. */
TUNNEL_API void tunnel_key_wipe(void* memory, size_t length);

TUNNEL_END_DECLS

#endif
