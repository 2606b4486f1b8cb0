#include <array>
#include <cmath>
#include <numeric>

#include "cipher/cipher.h"
#include "support/catch.hpp"
#include "support/hex.h"

using namespace tunnel::cipher;
using tunnel::test::to_hex;

namespace {

Random seeded(std::uint8_t start = 0) {
  std::array<std::uint8_t, 32> seed;
  std::iota(seed.begin(), seed.end(), start);
  return Random(seed);
}

}  // namespace

TEST_CASE("a seeded generator is the ChaCha20 stream of its seed", "[cipher][random]") {
  auto random = seeded();
  std::array<std::uint8_t, 16> first, second;
  random.fill(first);
  random.fill(second);
  // Key 00..1f, nonces 0 and 1, from the reference of tests/vectors.
  CHECK(to_hex(first) == "39fd2b7dd9c5196a8dbd0377b8dc4a49");
  CHECK(to_hex(second) == "2fa4f10250808e89a25231e50fdf6ee0");
}

TEST_CASE("equal seeds give equal numbers and others do not", "[cipher][random]") {
  auto a = seeded(), b = seeded(), other = seeded(1);
  for (int i = 0; i < 100; ++i) {
    const auto number = a.next32();
    REQUIRE(number == b.next32());
    REQUIRE(number != other.next32());  // 100 * 2^-32, and the same in every run
  }
}

TEST_CASE("a moved generator goes on where it was", "[cipher][random]") {
  auto a = seeded(), b = seeded();
  CHECK(a.next32() == b.next32());
  auto moved = std::move(a);
  CHECK(moved.next32() == b.next32());
}

TEST_CASE("the system generator does not repeat itself", "[cipher][random]") {
  Random random;
  std::array<std::uint8_t, 32> a{}, b{};
  random.fill(a);
  random.fill(b);
  CHECK(a != b);
}

TEST_CASE("bounded numbers stay below the bound and reach all of it", "[cipher][random]") {
  auto random = seeded();
  const auto bound = GENERATE(std::uint64_t{1}, 2, 3, 5, 7);
  std::array<int, 7> seen{};
  for (int i = 0; i < 7000; ++i) {
    const auto number = random.below(bound);
    REQUIRE(number < bound);
    ++seen[number];
  }
  const int fair = 7000 / static_cast<int>(bound);
  for (std::size_t i = 0; i < bound; ++i) CHECK(std::abs(seen[i] - fair) <= fair / 5);
}

TEST_CASE("bounds beyond half the range are drawn fairly too", "[cipher][random]") {
  auto random = seeded();
  const std::uint64_t bound = 3 * (std::uint64_t{1} << 62);
  int upper = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto number = random.below(bound);
    REQUIRE(number < bound);
    upper += number >= bound / 3 * 2;
  }
  CHECK(std::abs(upper - 1000) < 150);  // a plain remainder would give 750
}
