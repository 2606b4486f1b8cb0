#include <tunnel/cipher.h>
#include <tunnel/core.h>

#include <string>

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

TEST_CASE("the list of ciphers says of each whether it can be used", "[capi][cipher]") {
  std::size_t cursor = 0;
  std::string last;
  tunnel_cipher_info info = TUNNEL_CIPHER_INFO_INIT;
  while (tunnel_cipher_next(&cursor, &info) == TUNNEL_OK) {
    tunnel_cipher cipher{};
    CHECK(tunnel_cipher_find(info.name, &cipher) == info.status);
    CHECK((cipher.ops != nullptr) == (info.status == TUNNEL_OK));
    last = info.name;
  }
  CHECK(last == "libsodium");
  CHECK(tunnel_cipher_next(&cursor, &info) == TUNNEL_ERR_NOT_FOUND);
  CHECK(tunnel_cipher_next(nullptr, &info) == TUNNEL_ERR_ARGUMENT);
  CHECK(tunnel_cipher_next(&cursor, nullptr) == TUNNEL_ERR_ARGUMENT);
}

TEST_CASE("a cipher's speed is measured on request", "[capi][cipher]") {
  tunnel_cipher cipher{};
  REQUIRE(tunnel_cipher_find(nullptr, &cipher) == TUNNEL_OK);
  tunnel_cipher_speed speed = TUNNEL_CIPHER_SPEED_INIT;
  speed.rounds = 1;
  REQUIRE(tunnel_cipher_measure(&cipher, &speed) == TUNNEL_OK);
  CHECK(speed.length == 1420);
  CHECK(speed.batch == 45);
  CHECK(speed.seal_ps > 0);
  CHECK(speed.open_ps > 0);
  CHECK(tunnel_cipher_measure(nullptr, &speed) == TUNNEL_ERR_ARGUMENT);
  CHECK(tunnel_cipher_measure(&cipher, nullptr) == TUNNEL_ERR_ARGUMENT);
  speed.length = 65'536;
  CHECK(tunnel_cipher_measure(&cipher, &speed) == TUNNEL_ERR_ARGUMENT);
}

TEST_CASE("a cipher that opens nothing has no speed", "[capi][cipher]") {
  tunnel_cipher cipher{};
  REQUIRE(tunnel_cipher_find("libsodium", &cipher) == TUNNEL_OK);
  auto ops = *cipher.ops;
  ops.open = [](void*, tunnel_aead_job* jobs, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) jobs[i].result = TUNNEL_DROP_FORGED;
  };
  const tunnel_cipher refusing{&ops, nullptr};
  tunnel_cipher_speed speed = TUNNEL_CIPHER_SPEED_INIT;
  CHECK(tunnel_cipher_measure(&refusing, &speed) == TUNNEL_ERR_SELF_TEST);
}

TEST_CASE("a core tells which cipher it uses", "[capi][cipher]") {
  tunnel_cipher best{}, named{}, used{};
  REQUIRE(tunnel_cipher_find(nullptr, &best) == TUNNEL_OK);
  REQUIRE(tunnel_cipher_find("libsodium", &named) == TUNNEL_OK);
  tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  tunnel_core* core = nullptr;
  REQUIRE(tunnel_core_create(&config, &core) == TUNNEL_OK);
  CHECK(tunnel_core_cipher(core, &used) == TUNNEL_OK);
  CHECK(used.ops == best.ops);
  CHECK(tunnel_core_cipher(core, nullptr) == TUNNEL_ERR_ARGUMENT);
  tunnel_core_destroy(core);
  config.cipher = named;
  REQUIRE(tunnel_core_create(&config, &core) == TUNNEL_OK);
  CHECK(tunnel_core_cipher(core, &used) == TUNNEL_OK);
  CHECK(used.ops == named.ops);
  tunnel_core_destroy(core);
}
