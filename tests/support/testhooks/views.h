// views.h — the plain pointers of the hooks as the types of the house.
#pragma once

#include <cstring>

#include "cipher/cipher.h"

namespace tunnel::testhooks {

inline base::BytesOf<32> key_bytes(const std::uint8_t* p) {
  return base::BytesOf<32>(p, 32);
}

inline cipher::Key key(const std::uint8_t* p) {
  return p ? cipher::Key(key_bytes(p)) : cipher::Key();
}

inline cipher::PublicKey public_key(const std::uint8_t* p) {
  cipher::PublicKey out;
  base::copy<32>(out, key_bytes(p));
  return out;
}

inline void write(std::uint8_t* out32, const cipher::Key& key) {
  std::memcpy(out32, key.data(), 32);
}

}  // namespace tunnel::testhooks
