// Handshakes between whole cores: establishment, loss, forgery, simultaneous start.
#include "sim/pair.h"

using namespace sim;

TEST_CASE("the first packet starts a handshake and arrives after it", "[sim][handshake]") {
  Pair pair;
  pair.net.send(pair.alice, pair.bob, 7);
  CHECK(pair.alice.seal_verdicts.back() == TUNNEL_VERDICT_HELD);
  pair.net.run_for(kSecond);
  REQUIRE(pair.bob.delivered.size() == 1);
  CHECK(number_of(pair.bob.delivered[0]) == 7);
  CHECK(pair.alice.count(TUNNEL_EVENT_HANDSHAKE) == 1);
  CHECK(pair.bob.count(TUNNEL_EVENT_HANDSHAKE) == 1);
  CHECK(info_of(pair.alice, pair.bob).latest_handshake_ns == kWallStart + 20 * kMillisecond);
  CHECK(info_of(pair.alice, pair.bob).handshake_ns == 20 * kMillisecond);
}

TEST_CASE("staged packets arrive in the order in which they were sent", "[sim][handshake]") {
  Pair pair;
  for (std::uint64_t i = 0; i < 100; ++i) pair.net.send(pair.alice, pair.bob, i);
  pair.net.run_for(kSecond);
  REQUIRE(pair.bob.delivered.size() == 100);
  for (std::uint64_t i = 0; i < 100; ++i) CHECK(number_of(pair.bob.delivered[i]) == i);
}

TEST_CASE("a peer keeps 128 staged packets and loses the oldest", "[sim][handshake]") {
  Pair pair;
  for (std::uint64_t i = 0; i < 200; ++i) pair.net.send(pair.alice, pair.bob, i);
  pair.net.run_for(kSecond);
  REQUIRE(pair.bob.delivered.size() == 128);
  CHECK(number_of(pair.bob.delivered[0]) == 72);
  CHECK(pair.alice.drops(TUNNEL_DROP_STAGED) == 72);
}

TEST_CASE("without traffic after the response the initiator confirms by a keepalive",
          "[sim][handshake]") {
  Pair pair;
  std::uint64_t id = 0;
  tunnel_core_find_peer(pair.alice.core(), pair.bob.public_key(), &id);
  const auto now = pair.net.time();
  REQUIRE(tunnel_core_initiate(pair.alice.core(), id, &now) == TUNNEL_OK);
  pair.net.run_for(kSecond);
  CHECK(pair.alice.counters().keepalives_sent == 1);
  CHECK(pair.bob.count(TUNNEL_EVENT_HANDSHAKE) == 1);
  CHECK(info_of(pair.bob, pair.alice).has_session == 1);
}

TEST_CASE("the responder sends nothing under new keys before the initiator did",
          "[sim][handshake]") {
  Pair pair;
  int data_from_bob = 0;
  pair.net.lose = [&](const Datagram& datagram) {
    if (datagram.type() == 4 && datagram.from.bytes[3] == 2) ++data_from_bob;
    return datagram.type() == 4;  // confirmation and data are lost
  };
  pair.net.send(pair.alice, pair.bob, 1);
  pair.net.run_for(100 * kMillisecond);
  pair.net.send(pair.bob, pair.alice, 2);
  CHECK(pair.bob.seal_verdicts.back() == TUNNEL_VERDICT_HELD);
  pair.net.run_for(kSecond);
  CHECK(data_from_bob == 0);
}

TEST_CASE("a preshared key that differs makes no session", "[sim][handshake]") {
  Simulation net;
  auto& alice = net.add(1);
  auto& bob = net.add(2);
  const std::array<std::uint8_t, 32> one{1}, two{2};
  net.add_peer(alice, bob, true, 0, one.data());
  net.add_peer(bob, alice, true, 0, two.data());
  net.send(alice, bob, 1);
  net.run_for(4 * kSecond);
  CHECK(bob.delivered.empty());
  CHECK(alice.drops(TUNNEL_DROP_HANDSHAKE) == 1);
}

TEST_CASE("a changed preshared key keeps the session and rules the next handshake",
          "[sim][handshake][history]") {
  Pair pair;
  pair.net.send(pair.alice, pair.bob, 1);
  pair.net.run_for(kSecond);
  const std::array<std::uint8_t, 32> psk{9};
  pair.net.add_peer(pair.alice, pair.bob, true, 0, psk.data());
  pair.net.send(pair.alice, pair.bob, 2);
  pair.net.run_for(kSecond);
  CHECK(pair.bob.delivered.size() == 2);
  pair.net.run_for(200 * kSecond);
  pair.net.send(pair.alice, pair.bob, 3);
  pair.net.run_for(kSecond);
  CHECK(pair.bob.delivered.size() == 2);  // the other side does not have it yet
  pair.net.add_peer(pair.bob, pair.alice, true, 0, psk.data());
  pair.net.run_for(10 * kSecond);
  CHECK(pair.bob.delivered.size() == 3);
}

TEST_CASE("a lost initiation and a lost response are retried after five seconds",
          "[sim][handshake]") {
  const auto lost_type = GENERATE(std::uint8_t{1}, std::uint8_t{2});
  Pair pair;
  int lost = 0;
  pair.net.lose = [&](const Datagram& datagram) {
    return datagram.type() == lost_type && lost++ == 0;
  };
  pair.net.send(pair.alice, pair.bob, 1);
  pair.net.run_for(4900 * kMillisecond);
  CHECK(pair.bob.delivered.empty());
  pair.net.run_for(600 * kMillisecond);
  CHECK(pair.bob.delivered.size() == 1);
}

TEST_CASE("a handshake that nobody answers is given up after 90 s, and not for ever",
          "[sim][handshake]") {
  Pair pair;
  pair.bob.stopped = true;
  pair.net.send(pair.alice, pair.bob, 1);
  pair.net.run_for(120 * kSecond);
  CHECK(pair.alice.count(TUNNEL_EVENT_HANDSHAKE_FAILED) == 1);
  CHECK(pair.alice.drops(TUNNEL_DROP_STAGED) == 1);
  const auto tried = pair.alice.counters().handshakes_initiated;
  CHECK(tried == 20);
  pair.net.run_for(60 * kSecond);
  CHECK(pair.alice.counters().handshakes_initiated == tried);
  pair.bob.stopped = false;
  pair.net.send(pair.alice, pair.bob, 2);
  pair.net.run_for(kSecond);
  REQUIRE(pair.bob.delivered.size() == 1);
  CHECK(number_of(pair.bob.delivered[0]) == 2);
}

TEST_CASE("forged responses do not end a pending handshake", "[sim][handshake][history]") {
  Pair pair;
  Datagram response;
  pair.net.lose = [&](const Datagram& datagram) {
    if (datagram.type() != 2 || !response.bytes.empty()) return false;
    response = datagram;
    return true;
  };
  pair.net.send(pair.alice, pair.bob, 1);
  pair.net.run_for(100 * kMillisecond);
  REQUIRE(response.bytes.size() == 92);
  for (std::size_t byte = 0; byte < 60; ++byte) {
    auto forged = response;
    forged.bytes[byte] ^= 0x10;
    pair.net.open_now(pair.alice, forged);
  }
  CHECK(pair.alice.count(TUNNEL_EVENT_HANDSHAKE) == 0);
  pair.net.open_now(pair.alice, response);  // the slow true one
  pair.net.run_for(kSecond);
  CHECK(pair.bob.delivered.size() == 1);
  const auto drops = pair.alice.drops(TUNNEL_DROP_UNKNOWN_INDEX);
  CHECK(pair.net.open_now(pair.alice, response) == TUNNEL_DROP_UNKNOWN_INDEX);  // and its copy
  CHECK(pair.alice.drops(TUNNEL_DROP_UNKNOWN_INDEX) == drops + 1);
}

TEST_CASE("a replayed initiation is refused and moves nothing", "[sim][handshake][history]") {
  Pair pair;
  Datagram initiation;
  pair.net.tap = [&](const Datagram& datagram) {
    if (datagram.type() == 1) initiation = datagram;
  };
  pair.net.send(pair.alice, pair.bob, 1);
  pair.net.run_for(kSecond);
  const auto responses = pair.bob.counters().handshakes_responded;
  auto copy = initiation;
  copy.from = ipv4(66);
  pair.net.open_now(pair.bob, copy);
  CHECK(pair.bob.drops(TUNNEL_DROP_OLD_TIMESTAMP) == 1);
  CHECK(pair.bob.counters().handshakes_responded == responses);
  CHECK(info_of(pair.bob, pair.alice).endpoint.bytes[3] == 1);
}

TEST_CASE("an initiation by an unknown key is answered by silence", "[sim][handshake]") {
  Simulation net;
  auto& alice = net.add(1);
  auto& bob = net.add(2);
  net.add_peer(alice, bob);
  net.send(alice, bob, 1);
  net.run_for(kSecond);
  CHECK(bob.drops(TUNNEL_DROP_UNKNOWN_PEER) == 1);
  CHECK(bob.counters().tx_packets == 0);
  REQUIRE(bob.count(TUNNEL_EVENT_UNKNOWN_KEY) == 1);
  CHECK(std::equal(alice.public_key(), alice.public_key() + 32, bob.events[0].public_key));
}

TEST_CASE("two peers that start at the same moment both have a session at once",
          "[sim][handshake]") {
  Pair pair;
  pair.net.send(pair.alice, pair.bob, 1);
  pair.net.send(pair.bob, pair.alice, 2);
  pair.net.run_for(50 * kMillisecond);
  CHECK(pair.alice.delivered.size() == 1);
  CHECK(pair.bob.delivered.size() == 1);
  CHECK(pair.alice.counters().handshakes_initiated == 1);
  CHECK(pair.bob.counters().handshakes_initiated == 1);
}

TEST_CASE("an answer that was held back for longer than a session lives is refused",
          "[sim][handshake]") {
  Pair pair;
  Datagram held;
  pair.net.lose = [&](const Datagram& datagram) {
    if (datagram.type() != 2 || datagram.from.bytes[3] != 2 || !held.bytes.empty()) return false;
    held = datagram;
    return true;
  };
  pair.net.send(pair.alice, pair.bob, 0);  // both initiate; bob's answer is held back
  pair.net.send(pair.bob, pair.alice, 0);
  for (int i = 0; i < 20; ++i) {
    pair.net.run_for(10 * kSecond);
    pair.net.send(pair.bob, pair.alice, 1);
  }
  REQUIRE(held.type() == 2);
  pair.net.inject(held);
  pair.net.run_for(kSecond);
  const auto before = pair.bob.delivered.size();
  pair.net.send(pair.alice, pair.bob, 2);
  pair.net.run_for(kSecond);
  CHECK(pair.bob.delivered.size() == before + 1);
  CHECK(pair.alice.drops(TUNNEL_DROP_HANDSHAKE) == 1);
}

TEST_CASE("an answer that comes just when the initiation is to be retried ends the handshake",
          "[sim][handshake]") {
  Pair pair;
  Datagram held;
  pair.net.lose = [&](const Datagram& datagram) {
    if (datagram.type() != 2) return false;
    held = datagram;
    return true;
  };
  pair.net.send(pair.alice, pair.bob, 1);
  pair.net.run_for(4900 * kMillisecond);
  pair.alice.stopped = true;  // busy, until both the answer is there and the retry is due
  pair.net.run_for(600 * kMillisecond);
  pair.alice.stopped = false;
  (void)pair.net.open_now(pair.alice, held);
  pair.net.run_for(kSecond);
  CHECK(pair.bob.delivered.size() == 1);
  CHECK(pair.alice.counters().handshakes_completed == 1);
  CHECK(pair.alice.counters().handshakes_initiated == 1);
}

TEST_CASE("100 rekeys after a simultaneous start lose no packet", "[sim][rekey]") {
  Faults faults;
  faults.jitter_ns = GENERATE(std::uint64_t{0}, 5 * kMillisecond);
  Pair pair(GENERATE(1u, 2u, 3u, 4u), faults);
  constexpr std::uint64_t kRekeys = 100;
  constexpr std::uint64_t kStep = 100 * kMillisecond;
  std::uint64_t sent = 0;
  std::uint64_t after_second = 0;
  for (std::uint64_t at = 0; at < (kRekeys + 1) * 121 * kSecond; at += kStep, ++sent) {
    pair.net.run_until(at);
    pair.net.send(pair.alice, pair.bob, sent);
    pair.net.send(pair.bob, pair.alice, sent);
    if (after_second == 0 && at > 250 * kSecond) {
      after_second =
          pair.alice.counters().handshakes_initiated + pair.bob.counters().handshakes_initiated;
    }
  }
  pair.net.run_for(kSecond);
  CHECK(pair.alice.delivered.size() == sent);
  CHECK(pair.bob.delivered.size() == sent);
  const auto handshakes =
      pair.alice.counters().handshakes_initiated + pair.bob.counters().handshakes_initiated;
  CHECK(handshakes >= kRekeys);
  CHECK(handshakes - after_second <= kRekeys - 1);  // one handshake per rekey
}
