#include "protocol/gate.h"
#include "support/catch.hpp"
#include "unit/protocol/addresses.h"

using namespace tunnel;
using namespace tunnel::protocol;

namespace {

// Handshakes allowed out of one attempt each `step_ns` during `duration_ns`.
std::size_t allowed_of(RateLimiter& limiter, const tunnel_address& from, std::uint64_t duration_ns,
                       std::uint64_t step_ns) {
  std::size_t allowed = 0;
  for (std::uint64_t now = 0; now < duration_ns; now += step_ns)
    allowed += limiter.allow(from, now);
  return allowed;
}

}  // namespace

TEST_CASE("a source has a burst of five and twenty a second after it", "[protocol][limiter]") {
  cipher::Random random(std::array<std::uint8_t, 32>{3});
  RateLimiter limiter(random);
  const auto from = ipv4(192, 0, 2, 1);
  for (int i = 0; i < 5; ++i) CHECK(limiter.allow(from, kSecond));
  CHECK_FALSE(limiter.allow(from, kSecond));
  CHECK_FALSE(limiter.allow(from, kSecond + kSecond / 20 - 1));
  CHECK(limiter.allow(from, kSecond + kSecond / 20));
  CHECK_FALSE(limiter.allow(from, kSecond + kSecond / 20));
  // A quiet second brings the whole burst back, not more.
  for (int i = 0; i < 5; ++i) CHECK(limiter.allow(from, 10 * kSecond));
  CHECK_FALSE(limiter.allow(from, 10 * kSecond));
}

TEST_CASE("a steady flood gets its rate and burst, nothing more", "[protocol][limiter]") {
  cipher::Random random(std::array<std::uint8_t, 32>{3});
  RateLimiter limiter(random);
  CHECK(allowed_of(limiter, ipv4(192, 0, 2, 1), 10 * kSecond, kSecond / 1000) == 5 + 10 * 20 - 1);
}

TEST_CASE("the port does not matter, the family and the address do", "[protocol][limiter]") {
  cipher::Random random(std::array<std::uint8_t, 32>{3});
  RateLimiter limiter(random);
  auto from = ipv4(192, 0, 2, 1);
  for (int i = 0; i < 5; ++i) REQUIRE(limiter.allow(from, 0));
  from.port = 9;
  CHECK_FALSE(limiter.allow(from, 0));
  CHECK(limiter.allow(ipv4(192, 0, 2, 2), 0));
  CHECK(limiter.allow(ipv6(0, 0xc0000201), 0));
  CHECK(limiter.allow(ipv6(0, 0), 0));
  CHECK(limiter.allow({TUNNEL_FAMILY_LINK, 0, 0, 0, {192, 0, 2, 1, 0, 0}}, 0));
}

TEST_CASE("all of an IPv6 /64 is one source", "[protocol][limiter]") {
  cipher::Random random(std::array<std::uint8_t, 32>{3});
  RateLimiter limiter(random);
  const std::uint64_t prefix = 0x20010db800000000;
  for (std::uint64_t host = 0; host < 5; ++host) REQUIRE(limiter.allow(ipv6(prefix, host), 0));
  CHECK_FALSE(limiter.allow(ipv6(prefix, 99), 0));
  CHECK(limiter.allow(ipv6(prefix + 1, 99), 0));
}

TEST_CASE("a flood from many sources limits each and spares the quiet one", "[protocol][limiter]") {
  cipher::Random random(std::array<std::uint8_t, 32>{3});
  RateLimiter limiter(random);
  std::array<std::size_t, 56> allowed{};
  std::size_t quiet = 0;
  for (std::uint64_t now = 0; now < 5 * kSecond; now += kSecond / 200) {
    for (std::uint8_t i = 0; i < 56; ++i) allowed[i] += limiter.allow(ipv4(198, 51, 100, i), now);
    if (now % kSecond == 0) quiet += limiter.allow(ipv4(192, 0, 2, 1), now);
  }
  CHECK(quiet == 5);
  for (const auto count : allowed) CHECK(count == 5 + 5 * 20 - 1);
}

TEST_CASE("more sources than entries push out those that are full longest", "[protocol][limiter]") {
  cipher::Random random(std::array<std::uint8_t, 32>{3});
  RateLimiter limiter(random);
  const auto busy = ipv4(192, 0, 2, 1);
  std::size_t allowed = 0, strangers = 0;
  for (std::uint32_t i = 0; i < 65'536; ++i) {
    // One stranger each 10 ms, each once; the busy source asks 25 times a second.
    const auto now = std::uint64_t{i} * kSecond / 100;
    const auto high = static_cast<std::uint8_t>(i >> 8), low = static_cast<std::uint8_t>(i);
    strangers += limiter.allow(ipv4(198, 18, high, low), now);
    if (i % 4 == 0) allowed += limiter.allow(busy, now);
  }
  CHECK(strangers == 65'536);
  CHECK(allowed <= 5 + 656 * 20);
}
