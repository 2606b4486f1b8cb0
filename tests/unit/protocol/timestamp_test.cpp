#include "protocol/timestamp.h"

#include <algorithm>

#include "cipher/cipher.h"
#include "protocol/wire.h"
#include "support/catch.hpp"
#include "support/hex.h"

using namespace tunnel;
using namespace tunnel::protocol;

namespace {

std::uint32_t nanoseconds_of(const Timestamp& stamp) {
  return base::load_be32(&stamp[8]);
}

}  // namespace

TEST_CASE("a stamp is TAI64N with the kernel's base", "[protocol][timestamp]") {
  CHECK(test::to_hex(encode_timestamp(0)) == "400000000000000a00000000");
  CHECK(test::to_hex(encode_timestamp(1'600'000'000 * kSecond)) == "400000005f5e100a00000000");
}

TEST_CASE("nanoseconds are whitened to 2^24 within their second", "[protocol][timestamp]") {
  const auto second = 1'600'000'000 * kSecond;
  CHECK(nanoseconds_of(encode_timestamp(second + kTimestampStep - 1)) == 0);
  CHECK(nanoseconds_of(encode_timestamp(second + kTimestampStep)) == kTimestampStep);
  CHECK(nanoseconds_of(encode_timestamp(second + kSecond - 1)) == 59 * kTimestampStep);
}

TEST_CASE("stamps grow strictly while the wall clock jumps at random", "[protocol][timestamp]") {
  cipher::Random random(std::array<std::uint8_t, 32>{1});
  TimestampSource source;
  Timestamp last{};
  std::uint64_t wall = 1'600'000'000 * kSecond;
  for (int i = 0; i < 100'000; ++i) {
    wall += random.below(2 * kSecond);
    wall -= random.below(3 * kSecond);
    const auto stamp = source.next(wall);
    REQUIRE(last < stamp);
    REQUIRE(nanoseconds_of(stamp) < kSecond);
    REQUIRE(nanoseconds_of(stamp) % kTimestampStep == 0);
    last = stamp;
  }
}

TEST_CASE("stamps grow by one step while the wall clock stands still", "[protocol][timestamp]") {
  const auto wall = 1'600'000'000 * kSecond;
  TimestampSource source;
  CHECK(source.next(wall) == encode_timestamp(wall));
  CHECK(source.next(wall) == encode_timestamp(wall + kTimestampStep));
  CHECK(source.next(wall - 3600 * kSecond) == encode_timestamp(wall + 2 * kTimestampStep));
  CHECK(source.last() == wall + 2 * kTimestampStep);
  CHECK(source.next(wall + 3600 * kSecond) == encode_timestamp(wall + 3600 * kSecond));
}

TEST_CASE("no stamp is at or below the floor", "[protocol][timestamp]") {
  const auto base = 1'600'000'000 * kSecond;
  for (const std::uint64_t offset :
       {std::uint64_t{0}, std::uint64_t{1}, kTimestampStep - 1, 59 * kTimestampStep, kSecond - 1}) {
    TimestampSource source(base + offset);
    const auto first = source.next(0);
    CHECK(encode_timestamp(base + offset) < first);
    CHECK(first < source.next(0));
  }
}
