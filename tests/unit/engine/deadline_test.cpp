#include "engine/deadline.h"

#include <poll.h>

#include "engine/clock.h"
#include "support/catch.hpp"

using tunnel::engine::Deadline;

namespace {

constexpr std::uint64_t kHour = 3'600'000'000'000;

bool readable_within(const Deadline& deadline, int milliseconds) {
  pollfd entry{deadline.handle(), POLLIN, 0};
  return ::poll(&entry, 1, milliseconds) == 1;
}

}  // namespace

TEST_CASE("a deadline that moves away costs no system call", "[engine][deadline]") {
  auto deadline = Deadline::open();
  REQUIRE(deadline);
  const auto now = tunnel::engine::read_clocks().mono_ns;
  CHECK(deadline->arm(now + 2 * kHour));
  for (std::uint64_t i = 0; i < 1000; ++i) CHECK_FALSE(deadline->arm(now + 2 * kHour + i));
  CHECK(deadline->arm(now + kHour));
}

TEST_CASE("a deadline that never comes is disarmed once", "[engine][deadline]") {
  auto deadline = Deadline::open();
  REQUIRE(deadline);
  CHECK_FALSE(deadline->arm(TUNNEL_TIME_NEVER));
  CHECK(deadline->arm(1));
  CHECK(deadline->arm(TUNNEL_TIME_NEVER));
  CHECK_FALSE(deadline->arm(TUNNEL_TIME_NEVER));
  CHECK_FALSE(readable_within(*deadline, 0));
}

TEST_CASE("a deadline in the past fires at once, and can be set again", "[engine][deadline]") {
  auto deadline = Deadline::open();
  REQUIRE(deadline);
  deadline->arm(0);
  CHECK(readable_within(*deadline, 5000));
  deadline->clear();
  CHECK_FALSE(readable_within(*deadline, 0));
  CHECK(deadline->arm(tunnel::engine::read_clocks().mono_ns));
  CHECK(readable_within(*deadline, 5000));
}
