#include <tunnel/cipher.h>

#include "support/catch.hpp"

TEST_CASE("a cipher is found by name or as the best one", "[capi][cipher]") {
  tunnel_cipher named{}, best{};
  CHECK(tunnel_cipher_find("libsodium", &named) == TUNNEL_OK);
  CHECK(tunnel_cipher_find(nullptr, &best) == TUNNEL_OK);
  CHECK(named.ops->key_size <= TUNNEL_CIPHER_KEY_MAX);
  CHECK(best.ops->key_size <= TUNNEL_CIPHER_KEY_MAX);
}

TEST_CASE("an unknown cipher and a null table are refused", "[capi][cipher]") {
  tunnel_cipher cipher{};
  CHECK(tunnel_cipher_find("", &cipher) == TUNNEL_ERR_NOT_FOUND);
  CHECK(tunnel_cipher_find("libsodium", nullptr) == TUNNEL_ERR_ARGUMENT);
}
