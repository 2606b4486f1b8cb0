#include <sodium.h>

#include "cipher/cipher.h"

namespace tunnel::cipher {

bool x25519(const Key& secret, BytesOf<32> point, Key& shared) noexcept {
  // libsodium refuses every point of low order, before or after the multiplication.
  if (crypto_scalarmult(shared.data(), secret.data(), point.data()) == 0) return true;
  shared.clear();
  return false;
}

void x25519_base(const Key& secret, MutableBytesOf<32> public_key) noexcept {
  // The base point has a large order, so this has no failure to report.
  static_cast<void>(crypto_scalarmult_base(public_key.data(), secret.data()));
}

void clamp(Key& secret) noexcept {
  auto* bytes = secret.data();
  bytes[0] &= 248;
  bytes[31] = static_cast<std::uint8_t>((bytes[31] & 127) | 64);
}

}  // namespace tunnel::cipher
