// A host that gets more handshake messages than it can answer: cookies, limits, a full queue.
#include "sim/pair.h"

using namespace sim;

namespace {

// Fills bob's handshake queue without letting him work on it, so that he is under load.
void put_under_load(Pair& pair, Datagram initiation) {
  initiation.from = ipv4(250);
  for (int i = 0; i < 128; ++i) {
    REQUIRE(pair.net.open_only(pair.bob, initiation) == TUNNEL_VERDICT_CONSUMED);
  }
}

// The first initiation of a node to bob, taken off the network.
Datagram initiation_of(Pair& pair, Node& from) {
  Datagram caught;
  pair.net.lose = [&](const Datagram& datagram) {
    caught = datagram;
    return true;
  };
  pair.net.send(from, pair.bob, 0);
  pair.net.lose = nullptr;
  REQUIRE(caught.type() == 1);
  return caught;
}

}  // namespace

TEST_CASE("under load a stranger gets a cookie, and with it a handshake", "[sim][load]") {
  Pair pair;
  const auto initiation = pair.capture(1);
  put_under_load(pair, initiation);
  CHECK(pair.net.open_now(pair.bob, initiation) == TUNNEL_VERDICT_REPLY);
  CHECK(pair.bob.counters().cookie_replies == 1);
  CHECK(pair.bob.count(TUNNEL_EVENT_UNDER_LOAD) == 1);
  pair.net.run_for(100 * kMillisecond);
  CHECK(pair.alice.counters().cookies_received == 1);
  CHECK(pair.alice.count(TUNNEL_EVENT_HANDSHAKE) == 0);
  CHECK(pair.alice.counters().handshakes_initiated == 1);  // a cookie does not trigger a resend

  bool carried_mac2 = false;
  pair.net.tap = [&](const Datagram& datagram) {
    if (datagram.type() != 1) return;
    carried_mac2 = std::any_of(datagram.bytes.end() - 16, datagram.bytes.end(),
                               [](auto byte) { return byte != 0; });
  };
  pair.net.run_for(6 * kSecond);
  CHECK(carried_mac2);
  CHECK(pair.alice.count(TUNNEL_EVENT_HANDSHAKE) == 1);
}

TEST_CASE("the end of a load is noticed although nothing comes any more", "[sim][load]") {
  Pair pair;
  const auto initiation = pair.capture(1);
  put_under_load(pair, initiation);
  pair.net.lose = [](const Datagram&) { return true; };
  REQUIRE(pair.net.open_now(pair.bob, initiation) == TUNNEL_VERDICT_REPLY);
  REQUIRE(pair.bob.counters().under_load == 1);
  pair.net.run_for(2 * kSecond);
  CHECK(pair.bob.counters().under_load == 0);
  CHECK(pair.bob.count(TUNNEL_EVENT_UNDER_LOAD) == 2);
}

TEST_CASE("a cookie reply moves no endpoint, works once, and only when asked for",
          "[sim][load][history]") {
  Pair pair;
  Datagram cookie;
  pair.net.tap = [&](const Datagram& datagram) {
    if (datagram.type() == 3) cookie = datagram;
  };
  const auto initiation = pair.capture(1);
  put_under_load(pair, initiation);
  pair.net.lose = [](const Datagram& datagram) { return datagram.type() == 3; };
  pair.net.open_now(pair.bob, initiation);
  REQUIRE(cookie.bytes.size() == 64);
  auto forged = cookie;
  forged.bytes[40] ^= 1;
  CHECK(pair.net.open_now(pair.alice, forged) == TUNNEL_DROP_COOKIE);
  cookie.from = ipv4(66);
  CHECK(pair.net.open_now(pair.alice, cookie) == TUNNEL_VERDICT_CONSUMED);
  CHECK(info_of(pair.alice, pair.bob).endpoint.bytes[3] == 2);
  CHECK(pair.net.open_now(pair.alice, cookie) == TUNNEL_DROP_COOKIE);
}

TEST_CASE("who proved its address may still ask only so often", "[sim][load]") {
  Pair pair;
  const auto first = pair.capture(1);
  put_under_load(pair, first);
  REQUIRE(pair.net.open_now(pair.bob, first) == TUNNEL_VERDICT_REPLY);
  Datagram proved;
  pair.net.lose = [&](const Datagram& datagram) {
    if (datagram.type() == 1) proved = datagram;
    return datagram.type() == 1;
  };
  pair.net.run_for(6 * kSecond);  // the retry carries mac2
  auto stranger = proved;
  stranger.from.port = 1;  // a cookie is for one port
  put_under_load(pair, first);
  CHECK(pair.net.open_now(pair.bob, stranger) == TUNNEL_VERDICT_REPLY);
  for (int i = 0; i < 6; ++i) pair.net.open_now(pair.bob, proved);
  CHECK(pair.bob.drops(TUNNEL_DROP_RATE_LIMITED) == 1);
}

TEST_CASE("existing sessions go on under load", "[sim][load]") {
  Pair pair;
  pair.connect();
  const auto data = pair.capture(4);
  auto& carol = pair.net.add(3);
  pair.net.add_peer(carol, pair.bob);
  put_under_load(pair, initiation_of(pair, carol));
  CHECK(pair.net.open_now(pair.bob, data) == TUNNEL_VERDICT_DELIVER);
}

TEST_CASE("a full queue refuses, whoever asks, and is there again once it was worked off",
          "[sim][load]") {
  constexpr std::uint32_t kQueue = 1024;
  constexpr std::uint32_t kBurst = 5;  // what the rate limiter lets one address do at once
  Pair pair;
  const auto first = pair.capture(1);
  put_under_load(pair, first);
  // 180 strangers prove their addresses: each gets a cookie and asks again with it.
  std::vector<Datagram> proved;
  for (std::uint8_t number = 10; number < 190; ++number) {
    auto& stranger = pair.net.add(number);
    pair.net.add_peer(stranger, pair.bob);
    const auto initiation = initiation_of(pair, stranger);
    REQUIRE(pair.net.open_only(pair.bob, initiation) == TUNNEL_VERDICT_REPLY);
  }
  pair.net.lose = [&](const Datagram& datagram) {
    if (datagram.type() != 1) return false;
    proved.push_back(datagram);
    return true;
  };
  pair.net.run_for(6 * kSecond);
  pair.net.lose = nullptr;
  REQUIRE(proved.size() >= 180);

  put_under_load(pair, first);
  std::uint32_t queued = 128, refused = 0;
  for (const auto& initiation : proved) {
    for (std::uint32_t i = 0; i < kBurst; ++i) {
      const auto verdict = pair.net.open_only(pair.bob, initiation);
      queued += verdict == TUNNEL_VERDICT_CONSUMED;
      refused += verdict == TUNNEL_DROP_BUSY;
    }
  }
  CHECK(queued == kQueue);
  CHECK(refused > 0);
  CHECK(pair.bob.drops(TUNNEL_DROP_BUSY) == refused);

  pair.net.settle(pair.bob);
  pair.net.run_for(10 * kSecond);
  pair.net.send(pair.alice, pair.bob, 7);
  pair.net.run_for(kSecond);
  REQUIRE_FALSE(pair.bob.delivered.empty());
  CHECK(number_of(pair.bob.delivered.back()) == 7);
}
