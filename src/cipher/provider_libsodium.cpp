// provider_libsodium.cpp — one message after the other through libsodium, which chooses SSSE3, AVX2
// or plain C itself.
#include <cstring>

#include "cipher/aead.h"
#include "cipher/provider.h"

namespace tunnel::cipher {

namespace {

void seal_one(tunnel_aead_job& job) noexcept {
  const auto* key = static_cast<const std::uint8_t*>(job.key);
  seal_with_nonce(job.out, key, make_nonce(job.counter), base::Bytes(job.in, job.length), {});
  job.result = TUNNEL_OK;
}

void open_one(tunnel_aead_job& job) noexcept {
  const auto* key = static_cast<const std::uint8_t*>(job.key);
  const base::Bytes sealed(job.in, job.length);
  const bool good = open_with_nonce(job.out, key, make_nonce(job.counter), sealed, {});
  job.result = good ? TUNNEL_OK : TUNNEL_DROP_FORGED;
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
