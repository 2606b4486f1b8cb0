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

/* ---- the providers of this build: "libsodium" in all of them, "ipsec-mb" on x86-64 ----
 *
 * A provider is opened and checked once per process, when it is first asked for: against known
 * answers, and with random messages against libsodium. That takes a few milliseconds; a wrong
 * answer keeps it from being used at all. */

/* The provider by name, or the first usable one of the list below when `name` is null. The table
 * may be given to any core (tunnel_core_config.cipher), and lives for ever.
 *
 * Returns 0, and else leaves `out` alone: TUNNEL_ERR_NOT_FOUND (no such name in this build), or the
 * status that tunnel_cipher_next gives. Any thread. */
TUNNEL_API int32_t tunnel_cipher_find(const char* name, tunnel_cipher* out);

typedef struct tunnel_cipher_info {
  uint32_t size; /* sizeof(tunnel_cipher_info) */
  /* 0: it can be used. TUNNEL_ERR_UNAVAILABLE: its library is not installed.
   * TUNNEL_ERR_UNSUPPORTED: this processor lacks what it needs. TUNNEL_ERR_SELF_TEST: it gave a
   * wrong answer. */
  int32_t status;
  const char* name; /* valid for ever */
} tunnel_cipher_info;
#define TUNNEL_CIPHER_INFO_INIT \
  { sizeof(tunnel_cipher_info) }

/* Walks over the providers, the preferred one first: start with *cursor = 0. Returns 0, or
 * TUNNEL_ERR_NOT_FOUND at the end. Opens and checks the provider it comes to. Any thread. */
TUNNEL_API int32_t tunnel_cipher_next(size_t* cursor, tunnel_cipher_info* info);

typedef struct tunnel_cipher_speed {
  uint32_t size;    /* sizeof(tunnel_cipher_speed) */
  uint32_t length;  /* in: bytes of a message, 0 = 1420; at most 65535 */
  uint32_t batch;   /* in: messages handed over at once, 0 = 45; at most 1024 */
  uint32_t rounds;  /* in: 0 = 5; at most 1000; each about half a millisecond */
  uint64_t seal_ps; /* out: picoseconds per message, the median round */
  uint64_t open_ps;
} tunnel_cipher_speed;
#define TUNNEL_CIPHER_SPEED_INIT \
  { sizeof(tunnel_cipher_speed) }

/* Measures a table on this thread, by the clock on the wall: what else runs on this core counts
 * too. Takes memory for the messages and gives it back.
 *
 * Returns 0, TUNNEL_ERR_ARGUMENT, TUNNEL_ERR_MEMORY, or TUNNEL_ERR_SELF_TEST when the table could
 * not open what it had sealed. Any thread. */
TUNNEL_API int32_t tunnel_cipher_measure(const tunnel_cipher* cipher, tunnel_cipher_speed* speed);

TUNNEL_END_DECLS

#endif
