#include "device/checksum.h"

#include "support/catch.hpp"
#include "support/shapes.h"

namespace device = tunnel::device;

TEST_CASE("the fast sum of any length and place is the slow one", "[device][checksum]") {
  test::Random random(1);
  const std::string text = random.text(70'000);
  const auto bytes = test::bytes_of(text);
  for (std::size_t i = 0; i < 4000; ++i) {
    const std::size_t size = i < 600 ? i : random.number(66'000);
    const auto part = bytes.subspan(random.number(64), size);
    const std::uint32_t start = random.number(0xffffffff);
    const auto slow = static_cast<std::uint16_t>(~tunnel::base::internet_checksum(part, start));
    if (device::ones_sum(part, start) != slow) FAIL("size " << size << ", start " << start);
  }
}

TEST_CASE("a sum of the largest words does not overflow", "[device][checksum]") {
  const std::string text(65'536, '\xff');
  CHECK(device::ones_sum(test::bytes_of(text), 0xffffffff) == 0xffff);
  CHECK(device::ones_sum({}, 0) == 0);
  CHECK(device::ones_sum({}, 0x1ffff) == 1);
}
