#include <algorithm>
#include <array>
#include <tunnel/tunnel.hpp>
#include <type_traits>

#include "support/catch.hpp"

using tunnel::Key;
using tunnel::PublicKey;

static_assert(!std::is_copy_constructible_v<Key> && std::is_nothrow_move_constructible_v<Key>);

TEST_CASE("a key goes to text and back", "[capi][hpp]") {
  auto key = Key::generate_private();
  REQUIRE(key);
  const auto text = key->secret_text();
  CHECK(text.view().size() == 44);
  const auto back = Key::from_text(text.view());
  REQUIRE(back);
  CHECK(*back == *key);
  CHECK_FALSE(*back == *Key::generate_preshared());
}

TEST_CASE("the public key of a known private key", "[capi][hpp]") {
  // RFC 7748 6.1, Alice.
  const auto key = Key::from_text("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=");
  REQUIRE(key);
  const auto public_key = key->public_key();
  REQUIRE(public_key);
  CHECK(public_key->text().view() == "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=");
  CHECK(*PublicKey::from_text(public_key->text().view()) == *public_key);
}

TEST_CASE("text that is no key is an error, not a key", "[capi][hpp]") {
  for (const auto* text : {"", "abc", "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCp=",
                           "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=="}) {
    CAPTURE(text);
    CHECK(Key::from_text(text).status() == TUNNEL_ERR_KEY);
    CHECK(PublicKey::from_text(text).status() == TUNNEL_ERR_KEY);
  }
}

TEST_CASE("a moved or dead key leaves zeros", "[capi][hpp]") {
  constexpr std::array<std::uint8_t, TUNNEL_KEY_SIZE> kZero{};
  alignas(Key) std::array<std::uint8_t, sizeof(Key)> memory{};
  auto* key = new (memory.data()) Key(*Key::generate_private());
  CHECK_FALSE(std::equal(kZero.begin(), kZero.end(), key->data()));
  const Key moved(std::move(*key));
  CHECK(std::equal(kZero.begin(), kZero.end(), key->data()));
  *key = Key::from_bytes(std::span<const std::uint8_t, TUNNEL_KEY_SIZE>(moved.data(), 32));
  CHECK(*key == moved);
  key->~Key();
  CHECK(memory == kZero);
}
