#include <tunnel/keys.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/hex.h"

using tunnel::test::from_hex;
using tunnel::test::to_hex;
using KeyArray = std::array<std::uint8_t, TUNNEL_KEY_SIZE>;

namespace {

std::string text_of(const KeyArray& key) {
  char text[TUNNEL_KEY_TEXT_SIZE];
  REQUIRE(tunnel_key_to_text(key.data(), text) == TUNNEL_OK);
  REQUIRE(std::strlen(text) == TUNNEL_KEY_TEXT_SIZE - 1);
  return text;
}

}  // namespace

TEST_CASE("a public key is the one of RFC 7748 section 6.1", "[capi][keys]") {
  const auto [secret, expected] = GENERATE(table<std::string, std::string>({
      {"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
       "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"},
      {"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
       "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"},
  }));
  KeyArray made{};
  CHECK(tunnel_key_public(from_hex(secret).data(), made.data()) == TUNNEL_OK);
  CHECK(to_hex(made) == expected);
}

TEST_CASE("a generated private key is clamped and never the same", "[capi][keys]") {
  KeyArray a{}, b{};
  REQUIRE(tunnel_key_generate_private(a.data()) == TUNNEL_OK);
  REQUIRE(tunnel_key_generate_private(b.data()) == TUNNEL_OK);
  CHECK((a[0] & 7) == 0);
  CHECK((a[31] & 0xc0) == 0x40);
  CHECK(a != b);
}

TEST_CASE("a generated preshared key is not clamped", "[capi][keys]") {
  // 64 keys that all look clamped by chance: 2^-320.
  bool unclamped = false;
  for (int i = 0; i < 64; ++i) {
    KeyArray key{};
    REQUIRE(tunnel_key_generate_preshared(key.data()) == TUNNEL_OK);
    unclamped = unclamped || (key[0] & 7) != 0 || (key[31] & 0xc0) != 0x40;
  }
  CHECK(unclamped);
}

TEST_CASE("a key survives the way to text and back", "[capi][keys]") {
  for (int i = 0; i < 100; ++i) {
    KeyArray key{}, back{};
    REQUIRE(tunnel_key_generate_preshared(key.data()) == TUNNEL_OK);
    const auto text = text_of(key);
    REQUIRE(tunnel_key_from_text(text.data(), text.size(), back.data()) == TUNNEL_OK);
    REQUIRE(key == back);
  }
}

TEST_CASE("text is the base64 of RFC 4648", "[capi][keys]") {
  KeyArray key{};
  CHECK(text_of(key) == "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  key.fill(0xff);
  CHECK(text_of(key) == "//////////////////////////////////////////8=");
  key.fill(0xfb);
  CHECK(text_of(key) == "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=");
}

TEST_CASE("text that is not exactly one key is refused and leaves zeros", "[capi][keys]") {
  const auto text = GENERATE(as<std::string>(), "", "=", "AAAA",
                             "//////////////////////////////////////////9=",  // stray bit
                             "///////////////////////////////////////////=",  // stray bits
                             "//////////////////////////////////////////8",   // no padding
                             "//////////////////////////////////////////8=\n",
                             " //////////////////////////////////////////8=",
                             "/////////////////////////////////////////8==",  // 31 bytes
                             "////////////////////////////////////////////",  // 33 bytes
                             "///////////////////// ////////////////////8=",
                             "//////////////////////////////////////////_8=",
                             "-/////////////////////////////////////////8=",  // URL alphabet
                             "=//////////////////////////////////////////8");
  KeyArray key;
  key.fill(7);
  CHECK(tunnel_key_from_text(text.data(), text.size(), key.data()) == TUNNEL_ERR_KEY);
  CHECK(key == KeyArray{});
}

TEST_CASE("a zero byte inside the text of a key is refused", "[capi][keys]") {
  std::string text = "//////////////////////////////////////////8=";
  text[10] = '\0';
  KeyArray key;
  CHECK(tunnel_key_from_text(text.data(), text.size(), key.data()) == TUNNEL_ERR_KEY);
}

TEST_CASE("every byte but the 64 base64 digits is refused in a key", "[capi][keys]") {
  std::string text = "//////////////////////////////////////////8=";
  int accepted = 0;
  for (int byte = 0; byte < 256; ++byte) {
    text[10] = static_cast<char>(byte);
    KeyArray key;
    accepted += tunnel_key_from_text(text.data(), text.size(), key.data()) == TUNNEL_OK;
  }
  CHECK(accepted == 64);
}

TEST_CASE("key functions refuse null", "[capi][keys]") {
  KeyArray key{};
  char text[TUNNEL_KEY_TEXT_SIZE];
  CHECK(tunnel_key_generate_private(nullptr) == TUNNEL_ERR_ARGUMENT);
  CHECK(tunnel_key_generate_preshared(nullptr) == TUNNEL_ERR_ARGUMENT);
  CHECK(tunnel_key_public(nullptr, key.data()) == TUNNEL_ERR_ARGUMENT);
  CHECK(tunnel_key_public(key.data(), nullptr) == TUNNEL_ERR_ARGUMENT);
  CHECK(tunnel_key_to_text(nullptr, text) == TUNNEL_ERR_ARGUMENT);
  CHECK(tunnel_key_to_text(key.data(), nullptr) == TUNNEL_ERR_ARGUMENT);
  CHECK(tunnel_key_from_text(nullptr, 44, key.data()) == TUNNEL_ERR_ARGUMENT);
  CHECK(tunnel_key_from_text("", 0, nullptr) == TUNNEL_ERR_ARGUMENT);
  tunnel_key_wipe(nullptr, 32);
}

TEST_CASE("a wiped key is zero", "[capi][keys]") {
  KeyArray key;
  key.fill(9);
  tunnel_key_wipe(key.data(), key.size());
  CHECK(key == KeyArray{});
}
