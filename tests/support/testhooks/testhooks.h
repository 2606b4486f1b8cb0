/* testhooks.h - what libtunnel_testhooks.so exports. For tests only, never installed.
 *
 * int results: 0 ok, negative failure, unless said otherwise. A pointer whose name ends in a number
 * has that many bytes; a pointer with a length of 0 may be null. Not thread-safe per object. */
#ifndef TUNNEL_TESTHOOKS_H
#define TUNNEL_TESTHOOKS_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/status.h>

TUNNEL_BEGIN_DECLS

/* ---- primitives */
/* Negative when the result is all zero. */
TUNNEL_API int tunnel_test_x25519(uint8_t* out32, const uint8_t* sk32, const uint8_t* pk32);
TUNNEL_API int tunnel_test_blake2s(uint8_t* out, size_t outlen, const uint8_t* key, size_t keylen,
                                   const uint8_t* msg, size_t msglen);
/* n: 1 to 3; out: 32 * n bytes. */
TUNNEL_API int tunnel_test_kdf(int n, uint8_t* out, const uint8_t* key, size_t keylen,
                               const uint8_t* in, size_t inlen);

/* ---- AEADs; seal writes ptlen + 16 bytes, open ctlen - 16 */
TUNNEL_API int tunnel_test_aead_seal(uint8_t* out, const uint8_t* key32, const uint8_t* nonce12,
                                     const uint8_t* pt, size_t ptlen, const uint8_t* ad,
                                     size_t adlen);
TUNNEL_API int tunnel_test_aead_open(uint8_t* out, const uint8_t* key32, const uint8_t* nonce12,
                                     const uint8_t* ct, size_t ctlen, const uint8_t* ad,
                                     size_t adlen);
TUNNEL_API int tunnel_test_xaead_seal(uint8_t* out, const uint8_t* key32, const uint8_t* nonce24,
                                      const uint8_t* pt, size_t ptlen, const uint8_t* ad,
                                      size_t adlen);
TUNNEL_API int tunnel_test_xaead_open(uint8_t* out, const uint8_t* key32, const uint8_t* nonce24,
                                      const uint8_t* ct, size_t ctlen, const uint8_t* ad,
                                      size_t adlen);

/* ---- replay window */
TUNNEL_API void* tunnel_test_replay_new(void);
TUNNEL_API int tunnel_test_replay_check(void* p, uint64_t counter); /* 1 accept, 0 refuse */
/* A counter this far behind the newest accepted one is the oldest that may still come. */
TUNNEL_API int tunnel_test_replay_window(void);
TUNNEL_API void tunnel_test_replay_free(void* p);

/* ---- allowed IPs; family 4 or 6, ip of 4 or 16 bytes, peer >= 0. Tables live for ever. */
TUNNEL_API void* tunnel_test_aip_new(void);
TUNNEL_API int tunnel_test_aip_insert(void* p, int family, const uint8_t* ip, int cidr, int peer);
TUNNEL_API int tunnel_test_aip_remove(void* p, int peer);
TUNNEL_API int tunnel_test_aip_remove_prefix(void* p, int family, const uint8_t* ip, int cidr,
                                             int peer);
TUNNEL_API int tunnel_test_aip_lookup(void* p, int family, const uint8_t* ip); /* peer or -1 */

/* ---- rate limiter; lives for ever */
TUNNEL_API void* tunnel_test_limiter_new(void);
TUNNEL_API int tunnel_test_limiter_allow(void* p, int family, const uint8_t* ip,
                                         uint64_t now_ns); /* 1 yes, 0 no */

/* ---- handshake; messages are complete, with mac1 and a zero mac2. A null psk32 is 32 zeros. */
/* Null when a Diffie-Hellman with remote_pk32 is zero. */
TUNNEL_API void* tunnel_test_initiator_new(const uint8_t* static_sk32, const uint8_t* remote_pk32,
                                           const uint8_t* psk32, const uint8_t* ephemeral_sk32,
                                           uint32_t sender, const uint8_t* timestamp12);
TUNNEL_API int tunnel_test_initiator_message(void* h, uint8_t* out148);
TUNNEL_API int tunnel_test_initiator_finish(void* h, const uint8_t* in92, uint8_t* send_key32,
                                            uint8_t* receive_key32);
TUNNEL_API void tunnel_test_initiator_free(void* h);
TUNNEL_API int tunnel_test_responder(const uint8_t* static_sk32, const uint8_t* psk32,
                                     const uint8_t* ephemeral_sk32, uint32_t sender,
                                     const uint8_t* in148, uint8_t* out92, uint8_t* timestamp12,
                                     uint8_t* peer_pk32, uint8_t* send_key32,
                                     uint8_t* receive_key32);

TUNNEL_END_DECLS

#endif
