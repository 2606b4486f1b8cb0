/* tunnel/cipher.h - the data-plane AEAD as a table, batch-shaped.
 *
 * ChaCha20-Poly1305 (RFC 8439) with the nonce of WireGuard: four zero bytes and the counter in
 * little-endian order; no additional data. X25519, BLAKE2s and XChaCha20 are fixed by the protocol
 * and are not part of this table. A table is pure: no I/O, no clock, and it may be used by several
 * threads at once with different jobs. */
#ifndef TUNNEL_CIPHER_H
#define TUNNEL_CIPHER_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/status.h>

TUNNEL_BEGIN_DECLS

#define TUNNEL_AEAD_TAG 16
#define TUNNEL_CIPHER_KEY_MAX 64 /* largest key_size a core accepts */

/* One message with its own key and counter. Frozen: 64 bytes on 64-bit systems.
 * `in` and `out` are equal or do not overlap. Seal and open set the result of every job; a core
 * neither sends nor delivers a message whose result is not 0. */
typedef struct tunnel_aead_job {
  const void* key;  /* memory that key_init filled */
  uint64_t counter; /* message number under this key */
  const uint8_t* in;
  uint8_t* out;
  uint32_t length; /* seal: plaintext bytes (out gets + 16); open: bytes with tag */
  int32_t result;  /* 0, or TUNNEL_DROP_FORGED from open (out is undefined then) */
  uint64_t reserved[3];
} tunnel_aead_job;

typedef struct tunnel_cipher_ops {
  uint32_t size;     /* sizeof(tunnel_cipher_ops) */
  uint32_t key_size; /* bytes of prepared key, at most TUNNEL_CIPHER_KEY_MAX */
  const char* name;
  /* Prepares `memory` (key_size bytes, 16-byte aligned) for a key. Returns 0 or an error. */
  int32_t (*key_init)(void* self, void* memory, const uint8_t key[32]);
  void (*seal)(void* self, tunnel_aead_job* jobs, size_t count);
  void (*open)(void* self, tunnel_aead_job* jobs, size_t count);
} tunnel_cipher_ops;

typedef struct tunnel_cipher {
  const tunnel_cipher_ops* ops;
  void* self;
} tunnel_cipher;

/* The provider by name ("libsodium"), or the best one for this processor when `name` is null.
 * Returns 0, or TUNNEL_ERR_NOT_FOUND, or TUNNEL_ERR_SELF_TEST. Any thread; the table lives for
 * ever. */
TUNNEL_API int32_t tunnel_cipher_find(const char* name, tunnel_cipher* out);

TUNNEL_END_DECLS

#endif
