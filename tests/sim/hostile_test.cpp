// What strangers and malicious peers can send: refused, counted, without effect.
#include <random>

#include "sim/pair.h"

using namespace sim;

namespace {

// Alice's core believes in Ethernet, so that she can seal any bytes; bob's does not.
struct AnyBytes {
  Simulation net;
  std::uint64_t bob_id = 0;
  tunnel_router_ops everything{sizeof(tunnel_router_ops),
                               [](void* self, std::int32_t, tunnel_packet* packets, std::size_t n) {
                                 const auto id = static_cast<AnyBytes*>(self)->bob_id;
                                 for (std::size_t i = 0; i < n; ++i) packets[i].peer = id;
                               }};
  Node& alice;
  Node& bob;
  std::array<std::uint8_t, 256> bytes{};

  AnyBytes() : alice(net.add(options())), bob(net.add(2)) {
    tunnel_peer_config config = TUNNEL_PEER_CONFIG_INIT;
    std::copy(bob.public_key(), bob.public_key() + 32, config.public_key);
    config.fields = TUNNEL_PEER_ENDPOINT;
    config.endpoint = bob.address;
    REQUIRE(tunnel_core_set_peer(alice.core(), &config, &bob_id) == TUNNEL_OK);
    net.add_peer(bob, alice);
    net.send(alice, bob, 0);
    net.run_for(kSecond);
    REQUIRE(bob.delivered.size() == 1);
  }
  AnyBytes(const AnyBytes&) = delete;

  Node::Options options() {
    Node::Options result;
    result.number = 1;
    result.config.inner = TUNNEL_INNER_ETHERNET;
    result.config.router = {&everything, this};
    return result;
  }
  tunnel_packet packet_of(const Bytes& inside) {
    std::copy(inside.begin(), inside.end(), bytes.begin() + 16);
    tunnel_packet packet{};
    packet.data = bytes.data() + 16;
    packet.length = static_cast<std::uint32_t>(inside.size());
    packet.room = 240;
    packet.headroom = 16;
    return packet;
  }
  tunnel_packet seal(const Bytes& inside) {
    auto packet = packet_of(inside);
    const auto now = net.time();
    tunnel_core_seal(alice.core(), &packet, 1, &now);
    return packet;
  }
};

}  // namespace

TEST_CASE("a million malformed datagrams are counted and change nothing", "[sim][hostile]") {
  Pair pair;
  pair.connect();
  const auto before = pair.bob.counters();
  std::mt19937_64 random(5);
  const auto caught = pair.capture(4);
  std::vector<std::array<std::uint8_t, 512>> buffers(64);
  std::vector<tunnel_packet> packets(64);
  std::uint64_t given = 0;
  std::uint64_t delivered = 0;
  for (int round = 0; round < 1'000'000 / 64; ++round) {
    for (std::size_t i = 0; i < packets.size(); ++i) {
      auto& bytes = buffers[i];
      std::copy(caught.bytes.begin(), caught.bytes.end(), bytes.begin());
      const auto kind = random() % 4;
      auto length = caught.bytes.size();
      if (kind == 0) length = random() % length;    // truncated
      if (kind == 1) length += random() % 100 + 1;  // extended
      if (kind == 2)
        bytes[random() % length] ^= static_cast<std::uint8_t>(1u << (random() % 8));  // bit flipped
      if (kind == 3) {  // noise of any type
        for (std::size_t at = 0; at < 160; ++at) bytes[at] = static_cast<std::uint8_t>(random());
        bytes[0] = static_cast<std::uint8_t>(random() % 6);
        bytes[1] = bytes[2] = bytes[3] = 0;
        const std::array<std::size_t, 4> sizes{148, 92, 64, 128};
        length = sizes[random() % 4];
      }
      packets[i] = {};
      packets[i].data = bytes.data();
      packets[i].length = static_cast<std::uint32_t>(length);
      packets[i].room = 512;
      packets[i].remote = ipv4(66);
    }
    const auto now = pair.net.time();
    REQUIRE(tunnel_core_open(pair.bob.core(), packets.data(), packets.size(), &now) == TUNNEL_OK);
    for (const auto& packet : packets) {
      ++given;
      if (packet.verdict == TUNNEL_VERDICT_DELIVER) ++delivered;
      REQUIRE((packet.verdict >= TUNNEL_DROP_FIRST || packet.verdict == TUNNEL_VERDICT_DELIVER));
    }
  }
  const auto after = pair.bob.counters();
  std::uint64_t dropped = 0;
  for (std::size_t i = 0; i < TUNNEL_DROP_COUNT; ++i) dropped += after.drops[i] - before.drops[i];
  CHECK(delivered == 0);
  CHECK(dropped == given);
  CHECK(after.memory_bytes == before.memory_bytes);
  CHECK(after.tx_packets == before.tx_packets);
  CHECK(info_of(pair.bob, pair.alice).endpoint.bytes[3] == 1);
  pair.net.send(pair.alice, pair.bob, 9);
  pair.net.run_for(kSecond);
  CHECK(number_of(pair.bob.delivered.back()) == 9);
}

TEST_CASE("every length and type that is none of the four messages is malformed",
          "[sim][hostile]") {
  Pair pair;
  pair.connect();
  for (int type = 0; type < 256; ++type) {
    for (const std::size_t length :
         {0u, 1u, 3u, 4u, 16u, 31u, 63u, 65u, 91u, 93u, 147u, 149u, 1500u}) {
      if (type == 4 && length >= 32) continue;
      Datagram datagram;
      datagram.from = ipv4(66);
      datagram.bytes.assign(length, 0);
      if (length > 0) datagram.bytes[0] = static_cast<std::uint8_t>(type);
      CHECK(pair.net.open_now(pair.bob, datagram) == TUNNEL_DROP_MALFORMED);
    }
  }
  for (const std::size_t reserved : {1u, 2u, 3u}) {
    auto caught = pair.capture(4);
    caught.bytes[reserved] = 1;
    CHECK(pair.net.open_now(pair.bob, caught) == TUNNEL_DROP_MALFORMED);
  }
}

TEST_CASE("an inside source is looked up in the table of the tunnel, not of the peer",
          "[sim][hostile][history]") {
  Pair pair;
  auto& eve = pair.net.add(3);
  pair.net.add_peer(eve, pair.bob);
  pair.net.add_peer(pair.bob, eve);
  const auto wide = prefix4(0, 0, 24);  // eve owns 10.0.0.0/24, alice the longer 10.0.0.1/32
  tunnel_peer_config config = TUNNEL_PEER_CONFIG_INIT;
  std::copy(eve.public_key(), eve.public_key() + 32, config.public_key);
  config.prefixes = &wide;
  config.prefix_count = 1;
  REQUIRE(tunnel_core_set_peer(pair.bob.core(), &config, nullptr) == TUNNEL_OK);

  struct Row {
    std::uint8_t source;
    bool allowed;
  };
  for (const auto row : {Row{3, true}, Row{9, true}, Row{1, false}}) {
    const auto before = pair.bob.delivered.size();
    const auto inside = inside_packet(row.source, 2, row.source);
    std::array<std::uint8_t, 256> bytes{};
    std::copy(inside.begin(), inside.end(), bytes.begin() + 16);
    tunnel_packet packet{};
    packet.data = bytes.data() + 16;
    packet.length = static_cast<std::uint32_t>(inside.size());
    packet.room = 240;
    packet.headroom = 16;
    const auto now = pair.net.time();
    tunnel_core_seal(eve.core(), &packet, 1, &now);
    if (packet.verdict == TUNNEL_VERDICT_SEND) {
      Datagram datagram{0, 0, eve.address, pair.bob.address, {}};
      datagram.bytes.assign(packet.data, packet.data + packet.length);
      pair.net.inject(datagram);
    } else {
      pair.net.settle(eve);
    }
    pair.net.run_for(kSecond);
    CHECK((pair.bob.delivered.size() > before) == row.allowed);
  }
  CHECK(pair.bob.drops(TUNNEL_DROP_NOT_ALLOWED) == 1);
}

TEST_CASE("an authenticated peer that sends no IP packet is refused", "[sim][hostile]") {
  AnyBytes pair;
  const auto honest = inside_packet(1, 2, 5);
  std::vector<Bytes> lies;
  for (int version = 0; version < 16; ++version) {
    if (version == 4 || version == 6) continue;
    lies.push_back(honest);
    lies.back()[0] = static_cast<std::uint8_t>(version << 4 | 5);
  }
  for (const int size : {1, 19}) lies.emplace_back(honest.begin(), honest.begin() + size);
  for (const int total : {0, 19, 200, 65535}) {
    lies.push_back(honest);
    lies.back()[2] = static_cast<std::uint8_t>(total >> 8);
    lies.back()[3] = static_cast<std::uint8_t>(total);
  }
  for (const auto& lie : lies) {
    auto packet = pair.seal(lie);
    REQUIRE(packet.verdict == TUNNEL_VERDICT_SEND);
    Datagram datagram{0, 0, pair.alice.address, pair.bob.address, {}};
    datagram.bytes.assign(packet.data, packet.data + packet.length);
    CHECK(pair.net.open_now(pair.bob, datagram) == TUNNEL_DROP_INNER_MALFORMED);
  }
  CHECK(pair.bob.drops(TUNNEL_DROP_INNER_MALFORMED) == lies.size());
  // The handshake and the honest packet.
  CHECK(info_of(pair.bob, pair.alice).rx_bytes == 148 + 128);
}

TEST_CASE("an inside packet without any length or beyond it is refused", "[sim][hostile]") {
  AnyBytes pair;
  CHECK(pair.seal({}).verdict == TUNNEL_DROP_INNER_MALFORMED);  // it would mean a keepalive
  tunnel_packet packet = pair.packet_of(Bytes(1));
  packet.length = UINT32_MAX - 5;
  packet.room = UINT32_MAX;
  const auto now = pair.net.time();
  tunnel_core_seal(pair.alice.core(), &packet, 1, &now);
  CHECK(packet.verdict == TUNNEL_DROP_TOO_BIG);
}

TEST_CASE("more than 50 initiations a second of one peer are refused", "[sim][hostile]") {
  Pair pair;
  std::vector<Datagram> initiations;
  pair.net.lose = [&](const Datagram& datagram) {
    if (datagram.type() == 1) initiations.push_back(datagram);
    return true;
  };
  for (int i = 0; i < 3; ++i) {
    pair.net.wall_offset += kSecond;
    pair.net.send(pair.alice, pair.bob, 0);
    const auto now = pair.net.time();
    tunnel_core_network_changed(pair.alice.core(), &now);  // forget the throttle
    pair.net.run_for(300 * kMillisecond);
  }
  REQUIRE(initiations.size() >= 3);
  pair.net.open_now(pair.bob, initiations[0]);
  pair.net.open_now(pair.bob, initiations[1]);
  CHECK(pair.bob.drops(TUNNEL_DROP_FLOOD) == 1);
  pair.net.run_for(21 * kMillisecond);
  pair.net.open_now(pair.bob, initiations[2]);
  CHECK(pair.bob.counters().handshakes_responded == 2);
}

TEST_CASE("a wrong mac2 is ignored when there is no load", "[sim][hostile]") {
  Pair pair;
  auto initiation = pair.capture(1);
  initiation.bytes[140] ^= 0xff;
  CHECK(pair.net.open_now(pair.bob, initiation) == TUNNEL_VERDICT_CONSUMED);
  CHECK(pair.bob.counters().handshakes_responded == 1);
}

TEST_CASE("a handshake message for another key is dropped by its mac1", "[sim][hostile]") {
  Pair pair;
  auto initiation = pair.capture(1);
  initiation.bytes[116] ^= 1;
  CHECK(pair.net.open_now(pair.bob, initiation) == TUNNEL_DROP_MAC1);
}
