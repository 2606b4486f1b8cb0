#include "base/slab.h"

#include <vector>

#include "protocol/protocol.h"
#include "support/catch.hpp"

using namespace tunnel::base;

TEST_CASE("devices and the protocol pad alike", "[base][slab]") {
  for (const std::uint32_t mtu : {0u, 1u, 15u, 16u, 17u, 1280u, 1420u, 1421u, 9000u, 65535u}) {
    for (std::uint32_t length = 0; length < 3000; ++length) {
      CAPTURE(mtu, length);
      REQUIRE(padded_length(length, 16, mtu) == tunnel::protocol::padded_length(length, mtu));
    }
  }
}

TEST_CASE("padding never goes past the MTU", "[base][slab]") {
  CHECK(padded_length(1, 16, 1420) == 16);
  CHECK(padded_length(1409, 16, 1420) == 1420);
  CHECK(padded_length(1420, 16, 1420) == 1420);
  CHECK(padded_length(1421, 16, 1420) == 1436);
  CHECK(padded_length(0, 16, 1420) == 0);
  CHECK(padded_length(5, 1, 1420) == 5);
  CHECK(padded_length(5, 0, 1420) == 5);
}

TEST_CASE("sealed packets of a slab touch each other", "[base][slab]") {
  std::vector<std::uint8_t> bytes(4096);
  const tunnel_slab slab{bytes.data(), bytes.size(), 16, 16, 16, 1420};
  SlabCursor cursor(slab);
  tunnel_packet first{}, second{};
  CHECK(cursor.space() == 4096 - 16 - 15 - 16);
  CHECK(cursor.place() == bytes.data() + 16);
  cursor.take(first, 1420);
  cursor.take(second, 100);
  CHECK(first.data + 1420 + 16 == second.data - 16);
  CHECK(first.room == 1420 + 16);
  CHECK(second.headroom == 16);
  CHECK(second.room == 112 + 16);
}

TEST_CASE("a full slab has no space", "[base][slab]") {
  std::vector<std::uint8_t> bytes(64);
  const tunnel_slab slab{bytes.data(), bytes.size(), 16, 16, 16, 1420};
  SlabCursor cursor(slab);
  tunnel_packet packet{};
  REQUIRE(cursor.space() == 17);
  cursor.take(packet, 17);
  CHECK(cursor.space() == 0);
}
