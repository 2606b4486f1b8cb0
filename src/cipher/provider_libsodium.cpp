// provider_libsodium.cpp — one message after the other through libsodium, which chooses SSSE3, AVX2
// or plain C itself.
#include <sodium.h>

#include <cstring>

#include "cipher/cipher.h"
#include "cipher/nonce.h"
#include "cipher/provider.h"

namespace tunnel::cipher {

namespace {

void seal_one(tunnel_aead_job& job) noexcept {
  const auto nonce = make_nonce(job.counter);
  crypto_aead_chacha20poly1305_ietf_encrypt(job.out, nullptr, job.in, job.length, nullptr, 0,
                                            nullptr, nonce.data(),
                                            static_cast<const std::uint8_t*>(job.key));
  job.result = TUNNEL_OK;
}

void open_one(tunnel_aead_job& job) noexcept {
  const auto nonce = make_nonce(job.counter);
  const int refused = crypto_aead_chacha20poly1305_ietf_decrypt(
      job.out, nullptr, nullptr, job.in, job.length, nullptr, 0, nonce.data(),
      static_cast<const std::uint8_t*>(job.key));
  job.result = refused ? TUNNEL_DROP_FORGED : TUNNEL_OK;
}

std::int32_t key_init(void*, void* memory, const std::uint8_t key[32]) noexcept {
  std::memcpy(memory, key, 32);
  return TUNNEL_OK;
}

void seal(void*, tunnel_aead_job* jobs, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) seal_one(jobs[i]);
}

void open(void*, tunnel_aead_job* jobs, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) open_one(jobs[i]);
}

constexpr tunnel_cipher_ops kOps{sizeof(tunnel_cipher_ops), 32, "libsodium", key_init, seal, open};

}  // namespace

tunnel_cipher libsodium_provider() noexcept {
  return {&kOps, nullptr};
}

}  // namespace tunnel::cipher
