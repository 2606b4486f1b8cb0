// A core at the limits it was created with: it goes on, refuses by name, and keeps to its order.
#include "sim/pair.h"

using namespace sim;

namespace {

// Poll by hand, with so many buffers of exactly the size the core asked for.
struct Poll {
  Poll(Simulation& net, Node& node, std::size_t count, std::uint32_t budget = 1) {
    tunnel_layout layout = TUNNEL_LAYOUT_INIT;
    tunnel_core_layout(node.core(), &layout);
    bytes.resize(count * layout.poll_buffer);
    packets.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      packets[i].data = &bytes[i * layout.poll_buffer];
      packets[i].room = layout.poll_buffer;
    }
    const auto now = net.time();
    filled = tunnel_core_poll(node.core(), packets.data(), count, budget, &now);
  }

  std::vector<std::uint8_t> bytes;
  std::vector<tunnel_packet> packets;
  std::int32_t filled;
};

std::int32_t seal_only(Simulation& net, Node& from, const Node& to, std::size_t size = 84) {
  const auto inside = inside_packet(from.number(), to.number(), 1, size);
  std::vector<std::uint8_t> bytes(size + 64);
  std::copy(inside.begin(), inside.end(), bytes.begin() + 16);
  tunnel_packet packet{};
  packet.data = &bytes[16];
  packet.length = static_cast<std::uint32_t>(size);
  packet.room = static_cast<std::uint32_t>(size) + 48;
  packet.headroom = 16;
  const auto now = net.time();
  tunnel_core_seal(from.core(), &packet, 1, &now);
  return packet.verdict;
}

void set_endpoint(Node& node, const Node& peer, const tunnel_address& endpoint) {
  tunnel_peer_config config = TUNNEL_PEER_CONFIG_INIT;
  std::copy(peer.public_key(), peer.public_key() + 32, config.public_key);
  config.fields = TUNNEL_PEER_ENDPOINT;
  config.endpoint = endpoint;
  REQUIRE(tunnel_core_set_peer(node.core(), &config, nullptr) == TUNNEL_OK);
}

// The one response of bob's to come, which the network then keeps to itself.
Datagram catch_response(Pair& pair) {
  Datagram response;
  pair.net.lose = [&](const Datagram& datagram) {
    if (datagram.type() == 2) response = datagram;
    return datagram.type() == 2;
  };
  pair.net.run_for(100 * kMillisecond);
  pair.net.lose = nullptr;
  REQUIRE(response.type() == 2);
  return response;
}

// A packet of alice's waits for each of fifty peers who will never answer.
void stage_for_fifty_dead_peers(Pair& pair) {
  for (std::uint8_t number = 3; number < 53; ++number) {
    auto& dead = pair.net.add(number);
    pair.net.add_peer(pair.alice, dead);
    REQUIRE(seal_only(pair.net, pair.alice, dead) == TUNNEL_VERDICT_HELD);
  }
}

}  // namespace

TEST_CASE("a core with room for few sessions rekeys for ever", "[sim][limits]") {
  for (const std::uint32_t sessions : {0u, 2u}) {  // 0: what one peer gets by default
    CAPTURE(sessions);
    Simulation net;
    Node::Options options;
    options.number = 1;
    options.config.max_peers = 1;
    options.config.max_sessions = sessions;
    auto& alice = net.add(options);
    options.number = 2;
    auto& bob = net.add(options);
    net.join(alice, bob);
    std::uint64_t sent = 0;
    for (; sent < 360; ++sent) {
      net.send(alice, bob, sent);
      net.run_for(5 * kSecond);
    }
    CHECK(bob.delivered.size() == sent);
    CHECK(alice.drops(TUNNEL_DROP_EXHAUSTED) + bob.drops(TUNNEL_DROP_EXHAUSTED) == 0);
  }
}

TEST_CASE("sessions that are too old to open anything are given back at the next rekey",
          "[sim][limits]") {
  Pair pair;
  for (int i = 0; i < 200; ++i) {
    pair.net.send(pair.alice, pair.bob, 0);
    pair.net.run_for(5 * kSecond);
  }
  CHECK(pair.alice.counters().sessions <= 2);
  CHECK(pair.bob.counters().sessions <= 2);
}

TEST_CASE("what a refused handshake leaves behind is wiped after 540 s", "[sim][limits]") {
  // Two sessions are all there is, and bob has both: carol is authentic and gets none.
  Simulation net;
  Node::Options options;
  options.number = 1;
  options.config.max_sessions = 2;
  auto& alice = net.add(options);
  auto& bob = net.add(2);
  auto& carol = net.add(3);
  net.join(alice, bob);
  net.join(alice, carol);
  for (int i = 0; i < 30; ++i) {
    net.send(alice, bob, 0);
    net.run_for(5 * kSecond);
  }
  REQUIRE(alice.counters().sessions == 2);
  carol.stopped = true;  // one initiation, no retries
  const auto now = net.time();
  tunnel_core_initiate(carol.core(), id_of(carol, alice), &now);
  net.settle(carol);
  net.run_for(kSecond);
  REQUIRE(alice.drops(TUNNEL_DROP_EXHAUSTED) == 1);

  const auto carols = id_of(alice, carol);
  const auto wiped = [&] {
    return std::any_of(alice.events.begin(), alice.events.end(), [&](const auto& event) {
      return event.kind == TUNNEL_EVENT_PEER_EXPIRED && event.peer == carols;
    });
  };
  net.run_for(538 * kSecond);
  CHECK_FALSE(wiped());
  net.run_for(2 * kSecond);
  CHECK(wiped());
}

TEST_CASE("an initiation to a peer that lost its endpoint is wiped after 540 s", "[sim][limits]") {
  Pair pair;
  pair.net.lose = [](const Datagram&) { return true; };
  pair.net.send(pair.alice, pair.bob, 1);
  set_endpoint(pair.alice, pair.bob, {});
  pair.net.run_for(539 * kSecond);
  CHECK(pair.alice.count(TUNNEL_EVENT_PEER_EXPIRED) == 0);
  pair.net.run_for(2 * kSecond);
  CHECK(pair.alice.count(TUNNEL_EVENT_PEER_EXPIRED) == 1);
  CHECK(tunnel_core_deadline(pair.alice.core()) == TUNNEL_TIME_NEVER);
}

TEST_CASE("a datagram never goes to a peer whose endpoint was taken away", "[sim][limits]") {
  Pair pair;
  pair.net.send(pair.alice, pair.bob, 1);
  pair.net.send(pair.alice, pair.bob, 2);
  const auto response = catch_response(pair);
  REQUIRE(pair.net.open_only(pair.alice, response) == TUNNEL_VERDICT_CONSUMED);
  REQUIRE(Poll(pair.net, pair.alice, 1).filled == 1);  // the session, and one of two packets

  set_endpoint(pair.alice, pair.bob, {});
  CHECK(Poll(pair.net, pair.alice, 4).filled == 0);
  CHECK(pair.alice.counters().staged_packets == 0);
  CHECK(pair.alice.drops(TUNNEL_DROP_NO_ENDPOINT) == 1);
}

TEST_CASE("a removed peer's staged packets are counted", "[sim][limits]") {
  Pair pair;
  REQUIRE(seal_only(pair.net, pair.alice, pair.bob) == TUNNEL_VERDICT_HELD);
  tunnel_core_remove_peer(pair.alice.core(), id_of(pair.alice, pair.bob));
  CHECK(pair.alice.drops(TUNNEL_DROP_STAGED) == 1);
}

TEST_CASE("with one handshake a call, poll serves our own and theirs in turn", "[sim][limits]") {
  // Fifty dead peers ask for an initiation at once; bob's initiation must not wait for all of them.
  Pair pair;
  const auto initiation = [&] {
    Datagram caught;
    pair.net.lose = [&](const Datagram& datagram) {
      caught = datagram;
      return true;
    };
    pair.net.send(pair.bob, pair.alice, 0);
    return caught;
  }();
  REQUIRE(initiation.type() == 1);
  stage_for_fifty_dead_peers(pair);
  REQUIRE(pair.net.open_only(pair.alice, initiation) == TUNNEL_VERDICT_CONSUMED);
  for (int calls = 0; calls < 3; ++calls) Poll(pair.net, pair.alice, 4);
  CHECK(pair.alice.counters().handshakes_responded == 1);
  CHECK(pair.alice.counters().handshakes_initiated == 2);
}

TEST_CASE("packets for a living peer do not wait behind initiations to dead ones",
          "[sim][limits]") {
  Pair pair;
  pair.net.send(pair.alice, pair.bob, 1);
  const auto response = catch_response(pair);
  stage_for_fifty_dead_peers(pair);
  REQUIRE(pair.net.open_only(pair.alice, response) == TUNNEL_VERDICT_CONSUMED);
  const Poll poll(pair.net, pair.alice, 4);  // the response, and what it sets free
  REQUIRE(poll.filled == 1);
  CHECK(poll.packets[0].peer == id_of(pair.alice, pair.bob));
  CHECK(poll.packets[0].length > TUNNEL_AEAD_TAG + 16u);
}

TEST_CASE("a paced start that is asked for again and again still happens", "[sim][limits]") {
  Simulation net;
  auto& alice = net.add(1);
  for (std::uint8_t number = 2; number < 12; ++number) net.add_peer(alice, net.add(number));
  for (int i = 0; i < 100; ++i) {
    const auto now = net.time();
    tunnel_core_initiate(alice.core(), 0, &now);
    net.run_for(kMillisecond / 2);
  }
  CHECK(alice.counters().handshakes_initiated == 10);
}

TEST_CASE("the time a handshake took begins anew when sessions are forgotten", "[sim][limits]") {
  Pair pair;
  pair.net.lose = [](const Datagram&) { return true; };
  pair.net.send(pair.alice, pair.bob, 0);
  pair.net.run_for(3 * kSecond);
  tunnel_core_forget_sessions(pair.alice.core());
  pair.net.lose = nullptr;
  pair.net.run_for(kSecond);
  REQUIRE(pair.alice.count(TUNNEL_EVENT_HANDSHAKE) == 1);
  CHECK(info_of(pair.alice, pair.bob).handshake_ns < kSecond);
}

TEST_CASE("a packet that was held fits into the buffers poll asks for", "[sim][limits]") {
  for (const auto mtu : {TUNNEL_MTU_ZERO, 1420u, 100u}) {
    CAPTURE(mtu);
    Simulation net;
    Node::Options options;
    options.number = 1;
    options.config.mtu = mtu;
    auto& alice = net.add(options);
    auto& bob = net.add(2);
    net.join(alice, bob);
    Datagram response;
    net.lose = [&](const Datagram& datagram) {
      if (datagram.type() == 2) response = datagram;
      return datagram.type() == 2;
    };
    net.send(alice, bob, 0);
    net.run_for(100 * kMillisecond);

    std::int32_t held = 1;
    for (std::size_t size = 60; size < 160; ++size) {
      held += seal_only(net, alice, bob, size) == TUNNEL_VERDICT_HELD;
    }
    for (std::size_t size = 1410; size < 1430; ++size) {
      held += seal_only(net, alice, bob, size) == TUNNEL_VERDICT_HELD;
    }
    REQUIRE(net.open_only(alice, response) == TUNNEL_VERDICT_CONSUMED);
    CHECK(Poll(net, alice, 130).filled == held);
  }
}

TEST_CASE("a session is confirmed although what waited for it has grown too big", "[sim][limits]") {
  Pair pair;
  Datagram response;
  pair.net.lose = [&](const Datagram& datagram) {
    if (datagram.type() == 2) response = datagram;
    return datagram.type() == 2;
  };
  pair.net.send(pair.alice, pair.bob, 1, 1400);
  pair.net.run_for(100 * kMillisecond);
  REQUIRE(tunnel_core_set_mtu(pair.alice.core(), 1280) == TUNNEL_OK);
  REQUIRE(pair.net.open_only(pair.alice, response) == TUNNEL_VERDICT_CONSUMED);
  const Poll poll(pair.net, pair.alice, 4);
  REQUIRE(poll.filled == 1);
  CHECK(poll.packets[0].flags == TUNNEL_PACKET_KEEPALIVE);
  CHECK(pair.alice.drops(TUNNEL_DROP_TOO_BIG) == 1);
}

TEST_CASE("a message that waits for poll outlives neither its peer nor our key", "[sim][limits]") {
  Pair pair;
  Datagram initiation, response;
  pair.net.lose = [&](const Datagram& datagram) {
    (datagram.type() == 1 ? initiation : response) = datagram;
    return datagram.type() == 2;
  };
  pair.net.send(pair.alice, pair.bob, 1);
  pair.net.run_for(100 * kMillisecond);
  REQUIRE(pair.net.open_only(pair.alice, response) == TUNNEL_VERDICT_CONSUMED);
  REQUIRE(pair.net.open_only(pair.bob, initiation) == TUNNEL_VERDICT_CONSUMED);
  CHECK(Poll(pair.net, pair.alice, 0).filled == 0);  // no buffers: the work stays
  CHECK(tunnel_core_deadline(pair.alice.core()) <= pair.net.now());

  SECTION("peers removed") {
    tunnel_core_remove_peer(pair.alice.core(), id_of(pair.alice, pair.bob));
    tunnel_core_remove_peer(pair.bob.core(), id_of(pair.bob, pair.alice));
    CHECK(Poll(pair.net, pair.alice, 4).filled == 0);
    CHECK(Poll(pair.net, pair.bob, 4).filled == 0);
    CHECK(pair.alice.drops(TUNNEL_DROP_UNKNOWN_INDEX) == 1);
    CHECK(pair.bob.drops(TUNNEL_DROP_UNKNOWN_PEER) == 1);
  }
  SECTION("keys changed") {
    for (auto* node : {&pair.alice, &pair.bob}) {
      const std::array<std::uint8_t, 32> other{9, 9, 9};
      tunnel_core_set_private_key(node->core(), other.data());
      tunnel_core_set_private_key(node->core(), nullptr);
      CHECK(Poll(pair.net, *node, 4).filled == 0);
      CHECK(tunnel_core_deadline(node->core()) == TUNNEL_TIME_NEVER);
    }
  }
}
