// aead.cpp — the AEADs. A message that a data packet could be (four zero bytes in its nonce, no
// associated data) takes the data path's way through the provider; every other one the handshake's.
#include "cipher/aead.h"

#include <array>
#include <vector>

#include "../providers.h"
#include "testhooks.h"
#include "views.h"

namespace cipher = tunnel::cipher;
namespace base = tunnel::base;

namespace {

cipher::Nonce read_nonce(const uint8_t* nonce12) {
  cipher::Nonce nonce;
  std::memcpy(nonce.data(), nonce12, nonce.size());
  return nonce;
}

bool is_data(const uint8_t* nonce12, size_t adlen) {
  return adlen == 0 && base::load_le32(nonce12) == 0;
}

using Verb = void (*)(void*, tunnel_aead_job*, size_t);

// Runs one job with a fresh key through one provider's seal or open.
int run_one(const tunnel_cipher& provider, Verb tunnel_cipher_ops::*verb, tunnel_aead_job job,
            const uint8_t* key32) {
  alignas(16) std::array<uint8_t, TUNNEL_CIPHER_KEY_MAX> key;
  if (provider.ops->key_init(provider.self, key.data(), key32) != TUNNEL_OK) return -1;
  job.key = key.data();
  (provider.ops->*verb)(provider.self, &job, 1);
  return job.result == TUNNEL_OK ? 0 : -1;
}

// Runs one job through every provider that can be used here. What they answer must be the same;
// `out_length` bytes of it are looked at.
int run(Verb tunnel_cipher_ops::*verb, const tunnel_aead_job& job, size_t out_length,
        const uint8_t* key32) {
  std::vector<uint8_t> before(job.out, job.out + out_length), first;
  int result = 0;
  for (const auto& provider : tunnel::test::usable_providers()) {
    std::copy(before.begin(), before.end(), job.out);
    const int one = run_one(provider, verb, job, key32);
    if (first.empty()) {
      first.assign(job.out, job.out + out_length);
      first.push_back(0);  // also when there is nothing to compare
      result = one;
    } else if (one != result ||
               (one == 0 && !std::equal(job.out, job.out + out_length, &first[0]))) {
      return -2;
    }
  }
  return result;
}

tunnel_aead_job job(uint8_t* out, const uint8_t* nonce12, const uint8_t* in, size_t length) {
  return {.counter = base::load_le64(nonce12 + 4),
          .in = in,
          .out = out,
          .length = static_cast<uint32_t>(length)};
}

}  // namespace

int tunnel_test_aead_seal(uint8_t* out, const uint8_t* key32, const uint8_t* nonce12,
                          const uint8_t* pt, size_t ptlen, const uint8_t* ad, size_t adlen) {
  if (is_data(nonce12, adlen)) {
    return run(&tunnel_cipher_ops::seal, job(out, nonce12, pt, ptlen), ptlen + cipher::kTag, key32);
  }
  const base::Bytes text(pt, ptlen), associated(ad, adlen);
  cipher::seal_with_nonce(out, key32, read_nonce(nonce12), text, associated);
  return 0;
}

int tunnel_test_aead_open(uint8_t* out, const uint8_t* key32, const uint8_t* nonce12,
                          const uint8_t* ct, size_t ctlen, const uint8_t* ad, size_t adlen) {
  if (is_data(nonce12, adlen)) {
    const size_t ptlen = ctlen < cipher::kTag ? 0 : ctlen - cipher::kTag;
    return run(&tunnel_cipher_ops::open, job(out, nonce12, ct, ctlen), ptlen, key32);
  }
  const base::Bytes text(ct, ctlen), associated(ad, adlen);
  return cipher::open_with_nonce(out, key32, read_nonce(nonce12), text, associated) ? 0 : -1;
}

int tunnel_test_xaead_seal(uint8_t* out, const uint8_t* key32, const uint8_t* nonce24,
                           const uint8_t* pt, size_t ptlen, const uint8_t* ad, size_t adlen) {
  cipher::xaead_seal(out, base::Bytes(key32, 32), base::BytesOf<24>(nonce24, 24),
                     base::Bytes(pt, ptlen), base::Bytes(ad, adlen));
  return 0;
}

int tunnel_test_xaead_open(uint8_t* out, const uint8_t* key32, const uint8_t* nonce24,
                           const uint8_t* ct, size_t ctlen, const uint8_t* ad, size_t adlen) {
  const bool good = cipher::xaead_open(out, base::Bytes(key32, 32), base::BytesOf<24>(nonce24, 24),
                                       base::Bytes(ct, ctlen), base::Bytes(ad, adlen));
  return good ? 0 : -1;
}
