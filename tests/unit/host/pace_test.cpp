// pace_test.cpp — how soon the machine is looked at again; time is what the test says.
#include "host/settings/pace.h"

#include "support/catch.hpp"

using namespace tunnel::host;
using namespace std::chrono_literals;

namespace {

constexpr Pace::Clock::time_point kStart{1h};

Pace::Look look_at(Pace::Clock::time_point begin, std::vector<std::string> restored = {},
                   bool failed = false) {
  return {begin, begin + 2ms, std::move(restored), failed};
}

// Looks as soon as it may; returns how long it waited for that.
Pace::Clock::duration again(Pace& pace, Pace::Clock::time_point& now,
                            const std::vector<std::string>& restored) {
  const auto before = now;
  now = std::max(now, pace.next());
  (void)pace.looked(look_at(now, restored));
  now += 2ms;
  return now - before;
}

}  // namespace

TEST_CASE("the first change is acted upon at once, a burst after it together", "[host][settings]") {
  Pace pace;
  CHECK(pace.next() <= kStart);
  (void)pace.looked(look_at(kStart));
  CHECK(pace.next() == kStart + 2ms + Pace::kMoment);
  CHECK(pace.retry() == Pace::Clock::time_point::max());
}

TEST_CASE("looking at a large machine takes no more than a tenth of the time", "[host][settings]") {
  Pace pace;
  (void)pace.looked({kStart, kStart + 300ms, {}, false});
  CHECK(pace.next() == kStart + 300ms + 3s);
}

TEST_CASE("what is taken away again and again is put back ever later", "[host][settings]") {
  Pace pace;
  auto now = kStart;
  Pace::Clock::duration waited{};
  for (int i = 0; i < 30; ++i) waited = again(pace, now, {"a rule"});
  CHECK(waited == Pace::kLongestPause + 2ms);
}

TEST_CASE("a fight is told once", "[host][settings]") {
  Pace pace;
  auto now = kStart;
  std::size_t told = 0;
  for (int i = 0; i < 30; ++i) {
    told += pace.looked(look_at(now, {"a rule", "a route " + std::to_string(i)})).size();
    now += 1s;
  }
  CHECK(told == 1);
}

TEST_CASE("many different losses are no fight", "[host][settings]") {
  Pace pace;
  auto now = kStart;
  (void)again(pace, now, {});
  for (int i = 0; i < 30; ++i) {
    CHECK(again(pace, now, {"rule " + std::to_string(i)}) == Pace::kMoment + 2ms);
  }
}

TEST_CASE("a fight is forgotten after half a minute of peace", "[host][settings]") {
  Pace pace;
  auto now = kStart;
  for (int i = 0; i < 30; ++i) (void)again(pace, now, {"a rule"});
  now = pace.next() + 1min;
  (void)again(pace, now, {"a rule"});
  CHECK(again(pace, now, {"a rule"}) == Pace::kMoment + 2ms);
}

TEST_CASE("what failed is tried again though nothing is heard, ever later", "[host][settings]") {
  Pace pace;
  auto now = kStart;
  auto former = Pace::Clock::duration::zero();
  for (int i = 0; i < 5; ++i) {
    (void)pace.looked(look_at(now, {}, true));
    CHECK(pace.retry() - now > former);
    former = pace.retry() - now;
    now = pace.retry();
  }
  (void)pace.looked(look_at(now));
  CHECK(pace.retry() == Pace::Clock::time_point::max());
}
