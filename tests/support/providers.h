// providers.h — the data-plane ciphers that can be used on this machine.
#pragma once

#include <tunnel/cipher.h>

#include <vector>

namespace tunnel::test {

inline std::vector<tunnel_cipher> usable_providers() {
  std::vector<tunnel_cipher> usable;
  tunnel_cipher_info info = TUNNEL_CIPHER_INFO_INIT;
  for (std::size_t cursor = 0; tunnel_cipher_next(&cursor, &info) == TUNNEL_OK;) {
    tunnel_cipher cipher{};
    if (tunnel_cipher_find(info.name, &cipher) == TUNNEL_OK) usable.push_back(cipher);
  }
  return usable;
}

}  // namespace tunnel::test
