#include "cipher/aead.h"

#include <string>

#include "cipher/cipher.h"
#include "support/catch.hpp"
#include "support/hex.h"

using namespace tunnel::cipher;
using tunnel::test::exactly;
using tunnel::test::from_hex;
using tunnel::test::to_hex;

namespace {

// The text of RFC 8439, 2.8.2, and of the XChaCha draft, A.3.1.
std::vector<std::uint8_t> sunscreen() {
  const std::string text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.";
  return {text.begin(), text.end()};
}

std::vector<std::uint8_t> rfc_key() {
  return from_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
}

std::vector<std::uint8_t> rfc_associated() {
  return from_hex("50515253c0c1c2c3c4c5c6c7");
}

}  // namespace

TEST_CASE("chacha20-poly1305 seals as RFC 8439 section 2.8.2", "[cipher][aead]") {
  const Nonce nonce{0x07, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47};
  std::vector<std::uint8_t> out(sunscreen().size() + kTag);
  seal_with_nonce(out.data(), rfc_key().data(), nonce, sunscreen(), rfc_associated());
  CHECK(to_hex(out) ==
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
        "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
        "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
        "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd060"
        "0691");
}

TEST_CASE("chacha20-poly1305 opens RFC 8439 appendix A.5 by its counter", "[cipher][aead]") {
  const Key key(
      exactly<32>(from_hex("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0")));
  const auto sealed = from_hex(
      "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb2"
      "4c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf"
      "332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c855"
      "9797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4"
      "b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523e"
      "af4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a"
      "0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a10"
      "49e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29"
      "a6ad5cb4022b02709beead9d67890cbb22392336fea1851f38");
  std::vector<std::uint8_t> text(sealed.size() - kTag);
  REQUIRE(aead_open(text.data(), key, 0x0807060504030201, sealed,
                    from_hex("f33388860000000000004e91")));
  CHECK(std::string(text.begin(), text.end()).rfind("Internet-Drafts are draft documents", 0) == 0);
}

TEST_CASE("xchacha20-poly1305 seals and opens as the draft's A.3.1", "[cipher][aead]") {
  const auto nonce = from_hex("404142434445464748494a4b4c4d4e4f5051525354555657");
  std::vector<std::uint8_t> sealed(sunscreen().size() + kTag);
  xaead_seal(sealed.data(), rfc_key(), exactly<24>(nonce), sunscreen(), rfc_associated());
  CHECK(to_hex(sealed) ==
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
        "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
        "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
        "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780a"
        "cf49");
  std::vector<std::uint8_t> text(sunscreen().size());
  CHECK(xaead_open(text.data(), rfc_key(), exactly<24>(nonce), sealed, rfc_associated()));
  CHECK(text == sunscreen());
  sealed.back() ^= 1;
  CHECK_FALSE(xaead_open(text.data(), rfc_key(), exactly<24>(nonce), sealed, rfc_associated()));
  CHECK(to_hex(text) == std::string(2 * text.size(), '0'));
}

TEST_CASE("a handshake message with one changed bit is refused and wiped", "[cipher][aead]") {
  const Key key(exactly<32>(rfc_key()));
  const auto associated = rfc_associated();
  std::vector<std::uint8_t> sealed(32 + kTag), out(32);
  aead_seal(sealed.data(), key, 0, Bytes(sunscreen()).first(32), associated);
  REQUIRE(aead_open(out.data(), key, 0, sealed, associated));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    auto damaged = sealed;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    out.assign(32, 0x55);
    REQUIRE_FALSE(aead_open(out.data(), key, 0, damaged, associated));
    REQUIRE(out == std::vector<std::uint8_t>(32));
  }
  CHECK_FALSE(aead_open(out.data(), key, 1, sealed, associated));
  CHECK_FALSE(aead_open(out.data(), key, 0, sealed, {}));
  CHECK_FALSE(aead_open(out.data(), key, 0, Bytes(sealed).first(15), associated));
}

TEST_CASE("an empty text is only a tag over the associated data", "[cipher][aead]") {
  const Key key(exactly<32>(rfc_key()));
  std::array<std::uint8_t, kTag> tag;
  aead_seal(tag.data(), key, 0, {}, rfc_associated());
  CHECK(aead_open(nullptr, key, 0, tag, rfc_associated()));
  CHECK_FALSE(aead_open(nullptr, key, 0, tag, {}));
}
