// aead.cpp — the AEADs of handshake and cookies, on libsodium.
//
// libsodium checks the tag before it decrypts and zeroes the output of a refused message.
#include "cipher/aead.h"

#include <sodium.h>

#include <cassert>

#include "cipher/cipher.h"

namespace tunnel::cipher {

void seal_with_nonce(std::uint8_t* out, const std::uint8_t* key32, const Nonce& nonce, Bytes text,
                     Bytes associated) noexcept {
  crypto_aead_chacha20poly1305_ietf_encrypt(out, nullptr, text.data(), text.size(),
                                            associated.data(), associated.size(), nullptr,
                                            nonce.data(), key32);
}

bool open_with_nonce(std::uint8_t* out, const std::uint8_t* key32, const Nonce& nonce, Bytes text,
                     Bytes associated) noexcept {
  return crypto_aead_chacha20poly1305_ietf_decrypt(out, nullptr, nullptr, text.data(), text.size(),
                                                   associated.data(), associated.size(),
                                                   nonce.data(), key32) == 0;
}

void aead_seal(std::uint8_t* out, const Key& key, std::uint64_t counter, Bytes text,
               Bytes associated) noexcept {
  seal_with_nonce(out, key.data(), make_nonce(counter), text, associated);
}

bool aead_open(std::uint8_t* out, const Key& key, std::uint64_t counter, Bytes text,
               Bytes associated) noexcept {
  return open_with_nonce(out, key.data(), make_nonce(counter), text, associated);
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
