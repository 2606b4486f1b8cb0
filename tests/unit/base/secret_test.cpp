#include "base/secret.h"

#include <new>

#include "support/catch.hpp"

using namespace tunnel::base;

TEST_CASE("a secret is wiped when it dies", "[base][secret]") {
  alignas(Secret<32>) std::array<std::uint8_t, sizeof(Secret<32>)> memory{};
  auto* secret = new (memory.data()) Secret<32>;
  for (auto& byte : secret->writable()) byte = 0x5a;
  secret->~Secret();
  CHECK(is_zero_constant_time(memory));
}

TEST_CASE("a moved secret leaves zeros behind", "[base][secret]") {
  Secret<4> from;
  from.writable()[0] = 7;
  const Secret<4> to(std::move(from));
  CHECK(to.data()[0] == 7);
  CHECK(from.is_zero());  // NOLINT: that is the behaviour under test
}

TEST_CASE("constant-time comparison knows length and content", "[base][secret]") {
  const std::array<std::uint8_t, 3> a{1, 2, 3}, b{1, 2, 4};
  CHECK(equal_constant_time(a, a));
  CHECK_FALSE(equal_constant_time(a, b));
  CHECK_FALSE(equal_constant_time(a, Bytes(a).first(2)));
}

TEST_CASE("constant-time comparison sees every bit of any length", "[base][secret]") {
  std::array<std::uint8_t, 40> a{};
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<std::uint8_t>(i * 37 + 5);
  for (std::size_t length = 0; length <= a.size(); ++length) {
    auto b = a;
    bool right = equal_constant_time(Bytes(a).first(length), Bytes(b).first(length));
    std::array<std::uint8_t, 40> zeros{};
    right = right && is_zero_constant_time(Bytes(zeros).first(length));
    for (std::size_t bit = 0; bit < 8 * length; ++bit) {
      const auto mask = static_cast<std::uint8_t>(1U << bit % 8);
      b[bit / 8] ^= mask;
      zeros[bit / 8] ^= mask;
      right = right && !equal_constant_time(Bytes(a).first(length), Bytes(b).first(length)) &&
              !is_zero_constant_time(Bytes(zeros).first(length));
      b[bit / 8] ^= mask;
      zeros[bit / 8] ^= mask;
    }
    if (!right) FAIL("length " << length);
  }
}
