#include "aead_openssl.h"

#include <openssl/evp.h>

#include <array>
#include <cstring>
#include <memory>

#include "base/base.h"

namespace bench {

namespace {

// The prepared key: one context for each direction, with the key set. They live until the end.
struct Contexts {
  EVP_CIPHER_CTX* seal;
  EVP_CIPHER_CTX* open;
};

int32_t key_init(void*, void* memory, const std::uint8_t key[32]) {
  Contexts contexts{EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_new()};
  const auto* kind = EVP_chacha20_poly1305();
  const bool good = EVP_EncryptInit_ex(contexts.seal, kind, nullptr, key, nullptr) == 1 &&
                    EVP_DecryptInit_ex(contexts.open, kind, nullptr, key, nullptr) == 1;
  std::memcpy(memory, &contexts, sizeof contexts);
  return good ? TUNNEL_OK : TUNNEL_ERR_SYSTEM;
}

Contexts contexts_of(const tunnel_aead_job& job) {
  Contexts contexts;
  std::memcpy(&contexts, job.key, sizeof contexts);
  return contexts;
}

std::array<std::uint8_t, 12> nonce_of(const tunnel_aead_job& job) {
  std::array<std::uint8_t, 12> nonce{};
  tunnel::base::store_le64(&nonce[4], job.counter);
  return nonce;
}

void seal(void*, tunnel_aead_job* jobs, std::size_t count) {
  for (auto* job = jobs; job != jobs + count; ++job) {
    auto* context = contexts_of(*job).seal;
    const auto length = static_cast<int>(job->length);
    int written = 0;
    const bool good =
        EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce_of(*job).data()) == 1 &&
        EVP_EncryptUpdate(context, job->out, &written, job->in, length) == 1 &&
        EVP_EncryptFinal_ex(context, job->out + written, &written) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, job->out + length) == 1;
    job->result = good ? TUNNEL_OK : TUNNEL_DROP_FORGED;
  }
}

void open(void*, tunnel_aead_job* jobs, std::size_t count) {
  for (auto* job = jobs; job != jobs + count; ++job) {
    auto* context = contexts_of(*job).open;
    const auto length = static_cast<int>(job->length) - TUNNEL_AEAD_TAG;
    std::array<std::uint8_t, TUNNEL_AEAD_TAG> tag;
    int written = 0;
    job->result = TUNNEL_DROP_FORGED;
    if (length < 0) continue;
    std::memcpy(tag.data(), job->in + length, tag.size());
    if (EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, nonce_of(*job).data()) == 1 &&
        EVP_DecryptUpdate(context, job->out, &written, job->in, length) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, tag.data()) == 1 &&
        EVP_DecryptFinal_ex(context, job->out + written, &written) == 1) {
      job->result = TUNNEL_OK;
    }
  }
}

constexpr tunnel_cipher_ops kOps{
    sizeof(tunnel_cipher_ops), sizeof(Contexts), "openssl", key_init, seal, open};

}  // namespace

bool openssl_cipher(tunnel_cipher& out) {
  out = {&kOps, nullptr};
  return true;
}

}  // namespace bench
