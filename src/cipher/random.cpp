#include <sodium.h>

#include <cassert>

#include "cipher/cipher.h"

namespace tunnel::cipher {

Random::Random(BytesOf<32> test_seed) noexcept : seeded_(true), seed_(test_seed) {}

void Random::fill(MutableBytes out) noexcept {
  if (!seeded_) {
    randombytes_buf(out.data(), out.size());
    return;
  }
  // One ChaCha20 nonce per call: the stream depends on the calls alone, not on what they return.
  std::array<std::uint8_t, crypto_stream_chacha20_NONCEBYTES> nonce;
  base::store_le64(nonce.data(), stream_++);
  crypto_stream_chacha20(out.data(), out.size(), nonce.data(), seed_.data());
}

std::uint32_t Random::next32() noexcept {
  std::array<std::uint8_t, 4> bytes;
  fill(bytes);
  return base::load_le32(bytes.data());
}

std::uint64_t Random::below(std::uint64_t bound) noexcept {
  assert(bound > 0);
  // Numbers under 2^64 mod bound would make small results likelier, so they are drawn again.
  const std::uint64_t unfair = (0 - bound) % bound;
  std::array<std::uint8_t, 8> bytes;
  std::uint64_t number = 0;
  do {
    fill(bytes);
    number = base::load_le64(bytes.data());
  } while (number < unfair);
  return number % bound;
}

}  // namespace tunnel::cipher
