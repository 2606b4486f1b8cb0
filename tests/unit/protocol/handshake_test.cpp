#include "protocol/handshake.h"

#include "support/catch.hpp"
#include "unit/protocol/parties.h"

using namespace tunnel;
using namespace tunnel::protocol;

TEST_CASE("initiator and responder derive the same keys, with and without a preshared key",
          "[protocol][handshake]") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Handshake h(seed);
    if (seed % 2 == 1) h.random.fill(h.preshared.writable());
    REQUIRE(h.initiate(seed * kSecond));
    REQUIRE(h.read(h.initiation));
    CHECK(h.responder->remote() == h.alice->us.public_key);
    CHECK(h.responder->timestamp() == encode_timestamp(seed * kSecond));
    REQUIRE(h.respond());
    REQUIRE(h.finish(h.response));
    REQUIRE(h.keys_agree());
  }
}
