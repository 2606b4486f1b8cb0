// aead.cpp — the AEADs of handshake and cookies, on libsodium.
//
// libsodium checks the tag before it decrypts and zeroes the output of a refused message.
#include <sodium.h>

#include <cassert>

#include "cipher/cipher.h"
#include "cipher/nonce.h"

namespace tunnel::cipher {

void aead_seal(std::uint8_t* out, const Key& key, std::uint64_t counter, Bytes text,
               Bytes associated) noexcept {
  const auto nonce = make_nonce(counter);
  crypto_aead_chacha20poly1305_ietf_encrypt(out, nullptr, text.data(), text.size(),
                                            associated.data(), associated.size(), nullptr,
                                            nonce.data(), key.data());
}

bool aead_open(std::uint8_t* out, const Key& key, std::uint64_t counter, Bytes text,
               Bytes associated) noexcept {
  const auto nonce = make_nonce(counter);
  return crypto_aead_chacha20poly1305_ietf_decrypt(out, nullptr, nullptr, text.data(), text.size(),
                                                   associated.data(), associated.size(),
                                                   nonce.data(), key.data()) == 0;
}

void xaead_seal(std::uint8_t* out, Bytes key32, BytesOf<24> nonce, Bytes text,
                Bytes associated) noexcept {
  assert(key32.size() == 32);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out, nullptr, text.data(), text.size(),
                                             associated.data(), associated.size(), nullptr,
                                             nonce.data(), key32.data());
}

bool xaead_open(std::uint8_t* out, Bytes key32, BytesOf<24> nonce, Bytes text,
                Bytes associated) noexcept {
  assert(key32.size() == 32);
  return crypto_aead_xchacha20poly1305_ietf_decrypt(out, nullptr, nullptr, text.data(), text.size(),
                                                    associated.data(), associated.size(),
                                                    nonce.data(), key32.data()) == 0;
}

}  // namespace tunnel::cipher
