#include "cipher/cipher.h"
#include "support/catch.hpp"
#include "support/hex.h"

using namespace tunnel::cipher;
using tunnel::test::exactly;
using tunnel::test::from_hex;
using tunnel::test::to_hex;

namespace {

Key key(const std::string& hex) {
  return Key(exactly<32>(from_hex(hex)));
}

}  // namespace

TEST_CASE("x25519 gives the answers of RFC 7748 sections 5.2 and 6.1", "[cipher][x25519]") {
  const auto [secret, point, expected] = GENERATE(table<std::string, std::string, std::string>({
      {"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
       "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
       "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
      {"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
       "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
       "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
      {"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
       "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
       "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"},
      {"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
       "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
       "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"},
  }));
  Key shared;
  CHECK(x25519(key(secret), exactly<32>(from_hex(point)), shared));
  CHECK(to_hex(shared.bytes()) == expected);
}

TEST_CASE("x25519 iterated 1 and 1,000 times is that of RFC 7748", "[cipher][x25519]") {
  const auto base = from_hex("0900000000000000000000000000000000000000000000000000000000000000");
  Key k(exactly<32>(base)), u(exactly<32>(base));
  for (int i = 1; i <= 1000; ++i) {
    Key next;
    REQUIRE(x25519(k, u.bytes(), next));
    u = std::move(k);
    k = std::move(next);
    if (i > 1) continue;
    CHECK(to_hex(k.bytes()) == "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
  }
  CHECK(to_hex(k.bytes()) == "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

TEST_CASE("a point of low order is refused and leaves no secret", "[cipher][x25519]") {
  auto point = from_hex(GENERATE(
      as<std::string>(), "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"));
  const bool with_high_bit = GENERATE(false, true);  // RFC 7748: the bit is ignored
  if (with_high_bit) point[31] |= 0x80;
  const auto secret = key("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  Key shared(exactly<32>(from_hex(std::string(64, '7'))));
  CHECK_FALSE(x25519(secret, exactly<32>(point), shared));
  CHECK(shared.is_zero());
  PublicKey array;
  std::copy(point.begin(), point.end(), array.begin());
  CHECK(is_low_order(array));
  array[GENERATE(1u, 17u, 30u)] ^= 0x40;
  CHECK_FALSE(is_low_order(array));
}

TEST_CASE("two parties agree on a secret", "[cipher][x25519]") {
  Random random;
  for (int i = 0; i < 20; ++i) {
    Key a, b, ab, ba;
    random.fill(a.writable());
    random.fill(b.writable());
    PublicKey a_public, b_public;
    x25519_base(a, a_public);
    x25519_base(b, b_public);
    REQUIRE(x25519(a, b_public, ab));
    REQUIRE(x25519(b, a_public, ba));
    REQUIRE(to_hex(ab.bytes()) == to_hex(ba.bytes()));
  }
}

TEST_CASE("clamping changes the stored key and not the public one", "[cipher][x25519]") {
  auto secret = key("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
  PublicKey before, after;
  x25519_base(secret, before);
  clamp(secret);
  x25519_base(secret, after);
  CHECK(to_hex(secret.bytes()) ==
        "f8ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
  CHECK(before == after);
}
