// cipher.h — door of the room `cipher`: everything cryptographic and everything random.
//
// Fixed by the protocol: X25519, BLAKE2s and the functions built on it, ChaCha20-Poly1305 for
// handshakes, XChaCha20-Poly1305 for cookies. Exchangeable: the data-plane AEAD (tunnel/cipher.h).
// The only room that includes <sodium.h>. Pure functions; any thread.
#pragma once

#include <tunnel/cipher.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "base/base.h"
#include "cipher/workload.h"

namespace tunnel::cipher {

using base::Bytes;
using base::BytesOf;
using base::MutableBytes;
using base::MutableBytesOf;
using base::Secret;

inline constexpr std::size_t kTag = 16;
using Key = Secret<32>;
using PublicKey = std::array<std::uint8_t, 32>;
using Hash = std::array<std::uint8_t, 32>;

// Prepares libsodium. True when it is usable. Cheap after the first time; every C function that
// reaches this room through a new object or a key calls it first.
[[nodiscard]] bool initialize() noexcept;

// ---- BLAKE2s (RFC 7693)

// Incremental BLAKE2s. The state may hold key material, so it is wiped on destruction.
class Blake2s {
 public:
  static constexpr std::size_t kBlock = 64;

  // `length` of the digest: 1..32. `key`: at most 32 bytes, empty = unkeyed.
  explicit Blake2s(std::size_t length, Bytes key = {}) noexcept;
  ~Blake2s();
  Blake2s(const Blake2s&) = default;
  Blake2s& operator=(const Blake2s&) = default;

  Blake2s& update(Bytes input) noexcept;
  void finish(std::uint8_t* digest) noexcept;  // writes `length` bytes; once

 private:
  void compress(const std::uint8_t* block, bool last) noexcept;

  std::array<std::uint32_t, 8> h_;
  std::array<std::uint8_t, kBlock> buffer_{};
  std::uint64_t total_ = 0;
  std::uint32_t buffered_ = 0;
  std::uint32_t length_;
};

// HASH(a || b) of the whitepaper: BLAKE2s-256.
Hash hash(Bytes a, Bytes b = {}) noexcept;
// MAC(key, a || b): keyed BLAKE2s-128.
std::array<std::uint8_t, 16> mac(Bytes key, Bytes a, Bytes b = {}) noexcept;
// HMAC-BLAKE2s (RFC 2104), the base of kdf().
void hmac(Bytes key, Bytes message, MutableBytesOf<32> out) noexcept;
// HKDF of the whitepaper (5.4): up to three 32-byte outputs, ended by the first null. An output may
// be the memory of `key` or `input`.
void kdf(Bytes key, Bytes input, Key* first, Key* second, Key* third) noexcept;

// ---- X25519 (RFC 7748)

// shared = secret * point. False when the result is all zero (low-order point): use nothing then.
[[nodiscard]] bool x25519(const Key& secret, BytesOf<32> point, Key& shared) noexcept;
// True for the points whose product with every clamped secret is zero, and for no others. Public
// keys only: it takes no Diffie-Hellman, and its time depends on the point.
[[nodiscard]] bool is_low_order(PublicKey point) noexcept;
void x25519_base(const Key& secret, MutableBytesOf<32> public_key) noexcept;
// Clamps in place, so that stored private keys are canonical (RFC 7748, section 5).
void clamp(Key& secret) noexcept;

// ---- AEADs of the handshake

// out = ciphertext || tag, text.size() + 16 bytes. `counter` as in the data plane.
void aead_seal(std::uint8_t* out, const Key& key, std::uint64_t counter, Bytes text,
               Bytes associated) noexcept;
// out gets text.size() - 16 bytes. False, with out wiped, when the tag is wrong.
[[nodiscard]] bool aead_open(std::uint8_t* out, const Key& key, std::uint64_t counter, Bytes text,
                             Bytes associated) noexcept;
void xaead_seal(std::uint8_t* out, Bytes key32, BytesOf<24> nonce, Bytes text,
                Bytes associated) noexcept;
[[nodiscard]] bool xaead_open(std::uint8_t* out, Bytes key32, BytesOf<24> nonce, Bytes text,
                              Bytes associated) noexcept;

// ---- text form of keys

inline constexpr std::size_t kKeyText = 44;  // base64 characters of 32 bytes

// Writes 44 characters and a zero. Time does not depend on the key.
void encode_key(BytesOf<32> key, std::span<char, kKeyText + 1> text) noexcept;
// False, with `key` zeroed, unless `text` is the one canonical form of 32 bytes. Time does not
// depend on the key.
[[nodiscard]] bool decode_key(std::string_view text, MutableBytesOf<32> key) noexcept;

// ---- random

// Random numbers of one core: the system's generator, or a reproducible stream from a test seed.
class Random {
 public:
  Random() noexcept = default;                      // system generator
  explicit Random(BytesOf<32> test_seed) noexcept;  // ChaCha20 key stream of the seed

  void fill(MutableBytes out) noexcept;
  std::uint32_t next32() noexcept;
  // Uniform in 0..bound-1; bound > 0.
  std::uint64_t below(std::uint64_t bound) noexcept;

 private:
  bool seeded_ = false;
  Key seed_;
  std::uint64_t stream_ = 0;
};

// ---- data-plane providers

// The provider by name, or the best one here when null (see tunnel_cipher_find). A provider is
// checked once per process, before it is first given out.
[[nodiscard]] std::int32_t find_provider(const char* name, tunnel_cipher& out) noexcept;

// True when the table seals, opens and refuses as RFC 8439 says, in one batch and in place. For
// tables from outside too.
[[nodiscard]] bool passes_self_check(const tunnel_cipher& cipher) noexcept;

// Seals, opens and damages `trials` batches of random messages, as libsodium does. Returns
// TUNNEL_OK when the table agreed, TUNNEL_ERR_SELF_TEST, or TUNNEL_ERR_MEMORY. Half a millisecond
// each.
[[nodiscard]] std::int32_t compare_with_libsodium(const tunnel_cipher& cipher,
                                                  std::uint32_t trials) noexcept;

// The next one of this build (see tunnel_cipher_next).
[[nodiscard]] std::int32_t next_provider(std::size_t& cursor, tunnel_cipher_info& info) noexcept;

}  // namespace tunnel::cipher
