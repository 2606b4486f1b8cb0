#include <numeric>

#include "cipher/cipher.h"
#include "support/catch.hpp"
#include "support/hex.h"

using namespace tunnel::cipher;
using tunnel::test::from_hex;
using tunnel::test::to_hex;

namespace {

std::vector<std::uint8_t> digest(std::size_t length, Bytes message, Bytes key = {}) {
  std::vector<std::uint8_t> out(length);
  Blake2s(length, key).update(message).finish(out.data());
  return out;
}

std::vector<std::uint8_t> counting(std::size_t length) {
  std::vector<std::uint8_t> bytes(length);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return bytes;
}

// selftest_seq() of RFC 7693, appendix E.
std::vector<std::uint8_t> selftest_sequence(std::size_t length, std::uint32_t seed) {
  std::vector<std::uint8_t> bytes(length);
  std::uint32_t a = 0xdead4bad * seed, b = 1;
  for (auto& byte : bytes) {
    const std::uint32_t t = a + b;
    a = b;
    b = t;
    byte = static_cast<std::uint8_t>(t >> 24);
  }
  return bytes;
}

}  // namespace

TEST_CASE("blake2s of abc is that of RFC 7693 appendix B", "[cipher][blake2s]") {
  CHECK(to_hex(digest(32, from_hex("616263"))) ==
        "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
}

TEST_CASE("blake2s passes the self-test of RFC 7693 appendix E", "[cipher][blake2s]") {
  Blake2s all(32);
  for (const std::uint32_t length : {16u, 20u, 28u, 32u}) {
    for (const std::uint32_t size : {0u, 3u, 64u, 65u, 255u, 1024u}) {
      const auto message = selftest_sequence(size, size);
      all.update(digest(length, message));
      all.update(digest(length, message, selftest_sequence(length, length)));
    }
  }
  Hash result;
  all.finish(result.data());
  CHECK(to_hex(result) == "6a411f08ce25adcdfb02aba641451cec53c598b24f4fc787fbdc88797f4c1dfe");
}

// From the known answers that the authors of BLAKE2 publish: key 00..1f, message 00, 01, 02 …
TEST_CASE("keyed blake2s gives the published answers", "[cipher][blake2s]") {
  const auto [length, expected] = GENERATE(table<std::size_t, std::string>({
      {0, "48a8997da407876b3d79c0d92325ad3b89cbb754d86ab71aee047ad345fd2c49"},
      {1, "40d15fee7c328830166ac3f918650f807e7e01e177258cdc0a39b11f598066f1"},
      {2, "6bb71300644cd3991b26ccd4d274acd1adeab8b1d7914546c1198bbe9fc9d803"},
      {64, "8975b0577fd35566d750b362b0897a26c399136df07bababbde6203ff2954ed4"},
      {255, "3fb735061abc519dfe979e54c1ee5bfad0a9d858b3315bad34bde999efd724dd"},
  }));
  CHECK(to_hex(digest(32, counting(length), counting(32))) == expected);
}

TEST_CASE("blake2s does not depend on how the input is cut", "[cipher][blake2s]") {
  const auto message = selftest_sequence(300, 7);
  const auto whole = digest(32, message);
  for (std::size_t cut = 0; cut <= message.size(); ++cut) {
    Hash parts;
    Blake2s(32)
        .update(Bytes(message).first(cut))
        .update(Bytes(message).subspan(cut))
        .finish(parts.data());
    REQUIRE(to_hex(parts) == to_hex(whole));
  }
}

TEST_CASE("a copied blake2s state goes its own way", "[cipher][blake2s]") {
  Blake2s original(32);
  original.update(from_hex("61"));
  Blake2s copy(original);
  Hash a, b;
  original.update(from_hex("6263")).finish(a.data());
  copy.update(from_hex("6364")).finish(b.data());
  CHECK(to_hex(a) == to_hex(hash(from_hex("616263"))));
  CHECK(to_hex(b) == to_hex(hash(from_hex("616364"))));
}
