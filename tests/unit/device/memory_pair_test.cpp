#include <tunnel/device.h>

#include <thread>

#include "support/catch.hpp"
#include "support/packets.h"

using test::Outgoing;
using test::Slab;
using Device = test::Owned<tunnel_device>;

namespace {

struct Pair {
  explicit Pair(std::uint32_t capacity = 0, std::uint32_t mtu = 0) {
    tunnel_device made[2];
    REQUIRE(tunnel_device_pair(capacity, mtu, made) == TUNNEL_OK);
    static_cast<tunnel_device&>(a) = made[0];
    static_cast<tunnel_device&>(b) = made[1];
  }
  Device a, b;
};

Outgoing delivered(std::initializer_list<const char*> texts) {
  Outgoing out;
  for (const char* text : texts) out.add(text, TUNNEL_VERDICT_DELIVER);
  return out;
}

}  // namespace

TEST_CASE("what is written to one end is read from the other, in order", "[device][pair]") {
  Pair pair;
  Slab slab;
  auto out = delivered({"one", "two", ""});
  CHECK_FALSE(test::ready(pair.b));
  REQUIRE(test::write(pair.a, out) == TUNNEL_OK);
  CHECK(out.verdicts() == std::vector<std::int32_t>(3, TUNNEL_VERDICT_SENT));
  CHECK(test::ready(pair.b));
  CHECK_FALSE(test::ready(pair.a));
  REQUIRE(test::read(pair.b, slab) == 3);
  CHECK(slab.text(0) == "one");
  CHECK(slab.text(1) == "two");
  CHECK(slab.text(2).empty());
  CHECK(slab.packets[1].data - slab.packets[0].data == 16 + 16 + 16);
  CHECK(slab.packets[0].room == 32);
  CHECK_FALSE(test::ready(pair.b));
  CHECK(test::read(pair.b, slab) == 0);
}

TEST_CASE("a pair leaves packets alone that are not to be delivered", "[device][pair]") {
  Pair pair;
  Slab slab;
  Outgoing out;
  out.add("datagram", TUNNEL_VERDICT_SEND);
  out.add("inside", TUNNEL_VERDICT_DELIVER);
  REQUIRE(test::write(pair.a, out) == TUNNEL_OK);
  CHECK(out.packets[0].verdict == TUNNEL_VERDICT_SEND);
  REQUIRE(test::read(pair.b, slab) == 1);
  CHECK(slab.text(0) == "inside");
}

TEST_CASE("a full pair says WAIT and becomes writable when read", "[device][pair]") {
  Pair pair(2);
  Slab slab;
  auto out = delivered({"1", "2", "3"});
  REQUIRE(test::write(pair.a, out) == TUNNEL_OK);
  CHECK(out.packets[2].verdict == TUNNEL_VERDICT_WAIT);
  CHECK_FALSE(test::ready(pair.a));
  REQUIRE(test::read(pair.b, slab) == 2);
  CHECK(test::ready(pair.a));
  out.packets[2].verdict = TUNNEL_VERDICT_DELIVER;
  REQUIRE(test::write(pair.a, out) == TUNNEL_OK);
  CHECK_FALSE(test::ready(pair.a));
  REQUIRE(test::read(pair.b, slab) == 1);
  CHECK(slab.text(0) == "3");
}

TEST_CASE("a packet above the MTU of a pair is dropped", "[device][pair]") {
  Pair pair(4, 1280);
  Outgoing out;
  out.add(std::string(1281, 'x'), TUNNEL_VERDICT_DELIVER);
  out.add(std::string(1280, 'y'), TUNNEL_VERDICT_DELIVER);
  REQUIRE(test::write(pair.a, out) == TUNNEL_OK);
  CHECK(out.verdicts() == std::vector<std::int32_t>{TUNNEL_DROP_TOO_BIG, TUNNEL_VERDICT_SENT});
  CHECK(pair.a.ops->mtu(pair.a.self) == 1280);
}

TEST_CASE("a closed pair is drained before it says CLOSED", "[device][pair]") {
  Pair pair;
  Slab slab;
  auto out = delivered({"last"});
  REQUIRE(test::write(pair.a, out) == TUNNEL_OK);
  pair.a.close();
  REQUIRE(test::read(pair.b, slab) == 1);
  CHECK(test::ready(pair.b));
  CHECK(test::read(pair.b, slab) == TUNNEL_ERR_CLOSED);
  auto more = delivered({"nobody"});
  CHECK(test::write(pair.b, more) == TUNNEL_ERR_CLOSED);
  CHECK(more.packets[0].verdict == TUNNEL_DROP_IO);
}

TEST_CASE("packets that do not fit into the slab stay in the pair", "[device][pair]") {
  Pair pair;
  Slab slab(300);
  Outgoing out;
  out.add(std::string(200, '1'), TUNNEL_VERDICT_DELIVER);
  out.add(std::string(400, '2'), TUNNEL_VERDICT_DELIVER);
  out.add("third", TUNNEL_VERDICT_DELIVER);
  REQUIRE(test::write(pair.a, out) == TUNNEL_OK);
  REQUIRE(test::read(pair.b, slab) == 1);
  CHECK(slab.packets[0].flags == 0);
  REQUIRE(test::read(pair.b, slab) == 1);
  CHECK(slab.packets[0].flags == TUNNEL_PACKET_TRUNCATED);
  CHECK(slab.packets[0].length == 300 - 16 - 15 - 16);
  REQUIRE(test::read(pair.b, slab) == 1);
  CHECK(slab.text(0) == "third");
}

TEST_CASE("a slab without space is refused", "[device][pair]") {
  Pair pair;
  Slab slab(40);
  CHECK(test::read(pair.b, slab) == TUNNEL_ERR_ARGUMENT);
}

TEST_CASE("the ends of a pair may live on two threads", "[device][pair]") {
  constexpr std::uint32_t kPackets = 20'000;
  Pair pair(16);
  std::thread writer([&] {
    for (std::uint32_t next = 0; next < kPackets;) {
      Outgoing out;
      out.add(std::to_string(next), TUNNEL_VERDICT_DELIVER);
      if (test::write(pair.a, out) != TUNNEL_OK) return;
      if (out.packets[0].verdict == TUNNEL_VERDICT_SENT) ++next;
      if (out.packets[0].verdict == TUNNEL_VERDICT_WAIT) test::ready(pair.a, test::kPatience_ms);
    }
    pair.a.close();
  });
  Slab slab;
  std::uint32_t expected = 0;
  bool in_order = true;
  for (;;) {
    test::ready(pair.b, test::kPatience_ms);
    const std::int32_t count = test::read(pair.b, slab);
    if (count < 0) break;
    for (std::int32_t i = 0; i < count; ++i) {
      in_order = in_order && slab.text(static_cast<std::size_t>(i)) == std::to_string(expected++);
    }
  }
  writer.join();
  CHECK(in_order);
  CHECK(expected == kPackets);
}

TEST_CASE("a pair needs a sane MTU", "[device][pair]") {
  tunnel_device ends[2];
  CHECK(tunnel_device_pair(1, 65536, ends) == TUNNEL_ERR_ARGUMENT);
  CHECK(tunnel_device_pair(1, 1420, nullptr) == TUNNEL_ERR_ARGUMENT);
}
