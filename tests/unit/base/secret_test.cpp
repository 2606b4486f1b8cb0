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
