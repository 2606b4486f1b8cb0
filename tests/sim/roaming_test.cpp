// Where a peer is: learnt from authenticated datagrams only, and only from the newest.
#include "sim/pair.h"

using namespace sim;

namespace {

bool at(const tunnel_address& address, std::uint8_t host, std::uint16_t port) {
  return address.family == TUNNEL_FAMILY_IPV4 && address.bytes[3] == host && address.port == port;
}

}  // namespace

TEST_CASE("authenticated data moves the endpoint and replies follow it", "[sim][roaming]") {
  Pair pair;
  pair.connect();
  pair.alice.address = ipv4(77, 4000);
  pair.net.send(pair.alice, pair.bob, 1);
  pair.net.run_for(kSecond);
  CHECK(at(info_of(pair.bob, pair.alice).endpoint, 77, 4000));
  CHECK(pair.bob.count(TUNNEL_EVENT_ENDPOINT) == 1);
  pair.net.send(pair.bob, pair.alice, 2);
  pair.net.run_for(kSecond);
  REQUIRE(pair.alice.delivered.size() == 1);
}

TEST_CASE("a replayed datagram from elsewhere moves nothing", "[sim][roaming][history]") {
  Pair pair;
  pair.connect();
  const auto caught = pair.capture(4);
  REQUIRE(pair.net.open_now(pair.bob, caught) == TUNNEL_VERDICT_DELIVER);
  auto copy = caught;
  copy.from = ipv4(66, 6666);
  CHECK(pair.net.open_now(pair.bob, copy) == TUNNEL_DROP_REPLAY);
  CHECK(at(info_of(pair.bob, pair.alice).endpoint, 1, 51820));
}

TEST_CASE("late data is delivered but comes from where the peer was", "[sim][roaming][history]") {
  Pair pair;
  pair.connect();
  const auto late = pair.capture(4);
  pair.alice.address = ipv4(77, 4000);
  pair.net.send(pair.alice, pair.bob, 2);
  pair.net.run_for(kSecond);
  CHECK(pair.net.open_now(pair.bob, late) == TUNNEL_VERDICT_DELIVER);
  CHECK(at(info_of(pair.bob, pair.alice).endpoint, 77, 4000));
}

TEST_CASE("a forged datagram moves nothing and spends no counter", "[sim][roaming][history]") {
  Pair pair;
  pair.connect();
  const auto caught = pair.capture(4);
  for (std::size_t byte = 16; byte < caught.bytes.size(); ++byte) {
    auto forged = caught;
    forged.from = ipv4(66);
    forged.bytes[byte] ^= 1;
    CHECK(pair.net.open_now(pair.bob, forged) == TUNNEL_DROP_FORGED);
  }
  CHECK(at(info_of(pair.bob, pair.alice).endpoint, 1, 51820));
  CHECK(pair.net.open_now(pair.bob, caught) == TUNNEL_VERDICT_DELIVER);
}

TEST_CASE("an initiation and a response move the endpoint", "[sim][roaming]") {
  Pair pair;
  pair.connect();
  pair.alice.address = ipv4(78);
  pair.net.run_for(200 * kSecond);
  pair.net.send(pair.alice, pair.bob, 1);
  pair.net.run_for(15 * kMillisecond);  // the initiation has arrived, nothing else
  CHECK(at(info_of(pair.bob, pair.alice).endpoint, 78, 51820));
  pair.bob.address = ipv4(79);
  pair.net.run_for(kSecond);
  pair.net.run_for(200 * kSecond);
}

TEST_CASE("the sticky source is where the newest datagram arrived", "[sim][roaming]") {
  Pair pair;
  pair.connect();
  std::array<std::uint8_t, 256> bytes{};
  const auto inside = inside_packet(2, 1, 1);
  std::copy(inside.begin(), inside.end(), bytes.begin() + 64);
  tunnel_packet packet{};
  packet.data = bytes.data() + 64;
  packet.length = static_cast<std::uint32_t>(inside.size());
  packet.room = 192;
  packet.headroom = 64;
  auto now = pair.net.time();
  REQUIRE(tunnel_core_seal(pair.bob.core(), &packet, 1, &now) == TUNNEL_OK);
  REQUIRE(packet.verdict == TUNNEL_VERDICT_SEND);
  CHECK(packet.local.family == TUNNEL_FAMILY_IPV4);
  CHECK(packet.local.bytes[3] == 2);
  REQUIRE(tunnel_core_network_changed(pair.bob.core(), &now) == TUNNEL_OK);
  packet.data += 16;
  packet.length = static_cast<std::uint32_t>(inside.size());
  packet.room -= 16;
  packet.headroom += 16;
  std::copy(inside.begin(), inside.end(), packet.data);
  REQUIRE(tunnel_core_seal(pair.bob.core(), &packet, 1, &now) == TUNNEL_OK);
  CHECK(packet.local.family == TUNNEL_FAMILY_NONE);
}

TEST_CASE("after a change of network every peer with a session hears from us at once",
          "[sim][roaming]") {
  Pair pair;
  pair.connect();
  pair.alice.address = ipv4(77);
  const auto now = pair.net.time();
  REQUIRE(tunnel_core_network_changed(pair.alice.core(), &now) == TUNNEL_OK);
  pair.net.run_for(20 * kMillisecond);
  CHECK(at(info_of(pair.bob, pair.alice).endpoint, 77, 51820));
}

TEST_CASE("a change of network leaves an initiation that was just sent its chance of an answer",
          "[sim][roaming]") {
  Pair pair;
  pair.net.send(pair.alice, pair.bob, 1);
  pair.net.settle(pair.alice);
  const auto now = pair.net.time();
  for (int i = 0; i < 3; ++i) {
    REQUIRE(tunnel_core_network_changed(pair.alice.core(), &now) == TUNNEL_OK);
  }
  pair.net.run_for(50 * kMillisecond);
  CHECK(pair.bob.delivered.size() == 1);
  CHECK(pair.alice.counters().handshakes_initiated == 1);
}

TEST_CASE("after a change of network an initiation without an answer is soon repeated",
          "[sim][roaming]") {
  Pair pair;
  pair.net.lose = [&](const Datagram&) { return pair.net.now() < 100 * kMillisecond; };
  pair.net.send(pair.alice, pair.bob, 1);
  pair.net.run_for(200 * kMillisecond);
  const auto now = pair.net.time();
  REQUIRE(tunnel_core_network_changed(pair.alice.core(), &now) == TUNNEL_OK);
  pair.net.run_for(300 * kMillisecond);
  CHECK(pair.bob.delivered.size() == 1);
}
