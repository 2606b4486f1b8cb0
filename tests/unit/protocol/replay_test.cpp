#include "protocol/replay.h"

#include <set>

#include "cipher/cipher.h"
#include "protocol/wire.h"
#include "support/catch.hpp"

using namespace tunnel;
using namespace tunnel::protocol;

namespace {

constexpr auto kWidth = ReplayWindow::kWidth;

// Slow and obvious: remembers every counter of the window.
class Model {
 public:
  bool accept(std::uint64_t counter) {
    if (!seen_.empty() && counter + kWidth < *seen_.rbegin()) return false;
    if (!seen_.insert(counter).second) return false;
    while (*seen_.begin() + kWidth < *seen_.rbegin()) seen_.erase(seen_.begin());
    return true;
  }
  std::uint64_t newest() const { return seen_.empty() ? 0 : *seen_.rbegin(); }

 private:
  std::set<std::uint64_t> seen_;
};

// Mostly near the newest counter, often at the edges of the window, sometimes far away.
std::uint64_t next_counter(cipher::Random& random, std::uint64_t newest) {
  const auto back = [&](std::uint64_t by) { return newest > by ? newest - by : 0; };
  switch (random.below(16)) {
    case 0:
      return back(kWidth - 2 + random.below(5));
    case 1:
      return back(random.below(3 * kWidth));
    case 2:
      return newest + random.below(200);
    case 3:
      return newest + (random.below(50) == 0 ? random.below(2 * kWidth) : 1);
    case 4:
      return newest + 1 - newest % 64 + random.below(3);  // around a word's edge
    default:
      return back(random.below(64)) + random.below(66);
  }
}

}  // namespace

TEST_CASE("the first counter may be zero, and only once", "[protocol][replay]") {
  ReplayWindow window;
  CHECK(window.is_newest(0));
  CHECK(window.accept(0));
  CHECK_FALSE(window.accept(0));
  CHECK_FALSE(window.is_newest(0));
  CHECK(window.is_newest(1));
}

TEST_CASE("counters at the edges of the window", "[protocol][replay]") {
  ReplayWindow window;
  const std::uint64_t newest = 100'000;
  REQUIRE(window.accept(newest));
  CHECK(window.accept(newest - kWidth));
  CHECK_FALSE(window.accept(newest - kWidth));
  CHECK_FALSE(window.accept(newest - kWidth - 1));
  CHECK(window.accept(newest - kWidth + 1));
  CHECK(window.accept(newest - 1));
  CHECK_FALSE(window.accept(0));
  // One further on, the oldest has left.
  REQUIRE(window.accept(newest + 1));
  CHECK_FALSE(window.accept(newest - kWidth));
}

TEST_CASE("every counter of a full window is accepted once, in either order",
          "[protocol][replay]") {
  ReplayWindow down, up;
  std::size_t accepted = 0;
  for (std::uint64_t c = kWidth + 1; c-- > 0;) accepted += down.accept(c);
  for (std::uint64_t c = 0; c <= kWidth; ++c) accepted += up.accept(c);
  CHECK(accepted == 2 * (kWidth + 1));
  for (std::uint64_t c = 0; c <= kWidth; ++c) {
    accepted += down.accept(c);
    accepted += up.accept(c);
  }
  CHECK(accepted == 2 * (kWidth + 1));
}

TEST_CASE("a jump to 2^40 forgets everything behind it", "[protocol][replay]") {
  ReplayWindow window;
  for (std::uint64_t c = 0; c < 300; ++c) REQUIRE(window.accept(c));
  const std::uint64_t far = std::uint64_t{1} << 40;
  CHECK(window.accept(far));
  CHECK_FALSE(window.accept(far));
  CHECK_FALSE(window.accept(300));
  CHECK_FALSE(window.accept(far - kWidth - 1));
  for (std::uint64_t back = 1; back <= kWidth; ++back) REQUIRE(window.accept(far - back));
}

TEST_CASE("no counter at or past the message limit is accepted", "[protocol][replay]") {
  ReplayWindow window;
  CHECK_FALSE(window.accept(UINT64_MAX));
  CHECK_FALSE(window.accept(kRejectAfterMessages));
  CHECK(window.accept(kRejectAfterMessages - 1));
  CHECK_FALSE(window.accept(kRejectAfterMessages - 1));
  CHECK(window.accept(kRejectAfterMessages - 2));
  CHECK_FALSE(window.accept(0));
}

TEST_CASE("the window agrees with a set over a million random counters", "[protocol][replay]") {
  cipher::Random random(std::array<std::uint8_t, 32>{2});
  std::size_t differences = 0, accepted = 0, refused = 0;
  for (int round = 0; round < 20; ++round) {
    ReplayWindow window;
    Model model;
    for (int i = 0; i < 50'000; ++i) {
      const bool jump = random.below(20'000) == 0;
      const auto counter =
          jump ? model.newest() + (std::uint64_t{1} << 40) : next_counter(random, model.newest());
      const bool expected = model.accept(counter);
      differences += window.accept(counter) != expected;
      (expected ? accepted : refused) += 1;
    }
  }
  CHECK(differences == 0);
  CHECK(accepted > 100'000);
  CHECK(refused > 100'000);
}
