// Peers and keys through the C ABI: what set_peer promises.
#include <set>

#include "sim/pair.h"

using namespace sim;

namespace {

tunnel_peer_config config_for(const Node& peer) {
  tunnel_peer_config config = TUNNEL_PEER_CONFIG_INIT;
  std::copy(peer.public_key(), peer.public_key() + 32, config.public_key);
  return config;
}

std::vector<tunnel_prefix> prefixes_of(const Node& node, std::uint64_t id) {
  std::size_t count = 0;
  REQUIRE(tunnel_core_peer_prefixes(node.core(), id, nullptr, 0, &count) == TUNNEL_OK);
  std::vector<tunnel_prefix> prefixes(count);
  tunnel_core_peer_prefixes(node.core(), id, prefixes.data(), count, &count);
  return prefixes;
}

}  // namespace

TEST_CASE("update-only never creates and create-only never changes", "[sim][peers][history]") {
  Simulation net;
  auto& alice = net.add(1);
  auto& bob = net.add(2);
  auto config = config_for(bob);
  config.flags = TUNNEL_PEER_UPDATE_ONLY;
  CHECK(tunnel_core_set_peer(alice.core(), &config, nullptr) == TUNNEL_ERR_NOT_FOUND);
  CHECK(alice.counters().peers == 0);
  config.flags = TUNNEL_PEER_CREATE_ONLY;
  CHECK(tunnel_core_set_peer(alice.core(), &config, nullptr) == TUNNEL_OK);
  CHECK(tunnel_core_set_peer(alice.core(), &config, nullptr) == TUNNEL_ERR_EXISTS);
  config.flags = TUNNEL_PEER_CREATE_ONLY | TUNNEL_PEER_UPDATE_ONLY;
  CHECK(tunnel_core_set_peer(alice.core(), &config, nullptr) == TUNNEL_ERR_ARGUMENT);
}

TEST_CASE("a refused set_peer changes nothing", "[sim][peers]") {
  Simulation net;
  auto& alice = net.add(1);
  auto& bob = net.add(2);
  net.add_peer(alice, bob);
  std::array<tunnel_prefix, 2> prefixes{prefix4(7, 0, 24), prefix4(8, 0, 33)};
  auto config = config_for(bob);
  config.prefixes = prefixes.data();
  config.prefix_count = 2;
  CHECK(tunnel_core_set_peer(alice.core(), &config, nullptr) == TUNNEL_ERR_ARGUMENT);
  CHECK(info_of(alice, bob).prefix_count == 1);
  config.prefix_count = 0;
  config.fields = TUNNEL_PEER_KEEPALIVE;
  config.keepalive_s = 65536;
  CHECK(tunnel_core_set_peer(alice.core(), &config, nullptr) == TUNNEL_ERR_ARGUMENT);
  config.fields = TUNNEL_PEER_ENDPOINT;
  config.endpoint = bob.address;
  config.endpoint.family = 5;
  CHECK(tunnel_core_set_peer(alice.core(), &config, nullptr) == TUNNEL_ERR_ARGUMENT);
  CHECK(info_of(alice, bob).endpoint.family == TUNNEL_FAMILY_IPV4);
  config.fields = 0x8000;
  CHECK(tunnel_core_set_peer(alice.core(), &config, nullptr) == TUNNEL_ERR_ARGUMENT);
}

TEST_CASE("our own key is no peer, and a key that becomes ours ends that peer", "[sim][peers]") {
  Simulation net;
  auto& alice = net.add(1);
  auto& bob = net.add(2);
  auto config = config_for(alice);
  CHECK(tunnel_core_set_peer(alice.core(), &config, nullptr) == TUNNEL_ERR_KEY);
  const auto id = net.add_peer(alice, bob);
  CHECK(tunnel_core_set_private_key(alice.core(), bob.private_key()) == TUNNEL_OK);
  CHECK(tunnel_core_remove_peer(alice.core(), id) == TUNNEL_ERR_NOT_FOUND);
}

TEST_CASE("a changed private key ends the sessions made with the old one",
          "[sim][peers][history]") {
  Pair pair;
  pair.connect();
  REQUIRE(info_of(pair.alice, pair.bob).has_session == 1);
  const std::array<std::uint8_t, 32> other{1, 2, 3};
  tunnel_core_set_private_key(pair.alice.core(), other.data());
  CHECK(info_of(pair.alice, pair.bob).has_session == 0);
  CHECK(pair.alice.counters().sessions == 0);
  pair.net.send(pair.alice, pair.bob, 1);
  CHECK(pair.alice.seal_verdicts.back() == TUNNEL_VERDICT_HELD);
}

TEST_CASE("without a private key nothing is sent or opened", "[sim][peers][history]") {
  Pair pair;
  pair.connect();
  const auto data = pair.capture(4);
  const auto sent = pair.bob.counters().tx_packets;
  tunnel_core_set_private_key(pair.bob.core(), nullptr);
  pair.net.send(pair.bob, pair.alice, 1);
  CHECK(pair.bob.seal_verdicts.back() == TUNNEL_DROP_NO_KEY);
  CHECK(pair.net.open_now(pair.bob, data) == TUNNEL_DROP_NO_KEY);
  const auto now = pair.net.time();
  tunnel_core_initiate(pair.bob.core(), 0, &now);
  pair.net.run_for(60 * kSecond);
  CHECK(pair.bob.counters().tx_packets == sent);
}

TEST_CASE("a removed peer is gone: id, keys, prefixes, staged packets", "[sim][peers]") {
  Pair pair;
  pair.connect();
  const auto id = id_of(pair.alice, pair.bob);
  const auto data = pair.capture(4);
  REQUIRE(tunnel_core_remove_peer(pair.bob.core(), id_of(pair.bob, pair.alice)) == TUNNEL_OK);
  CHECK(pair.net.open_now(pair.bob, data) == TUNNEL_DROP_UNKNOWN_INDEX);
  REQUIRE(tunnel_core_remove_peer(pair.alice.core(), id) == TUNNEL_OK);
  CHECK(tunnel_core_remove_peer(pair.alice.core(), id) == TUNNEL_ERR_NOT_FOUND);
  pair.net.send(pair.alice, pair.bob, 2);
  CHECK(pair.alice.seal_verdicts.back() == TUNNEL_DROP_NO_PEER);
  CHECK(pair.alice.counters().sessions == 0);
  CHECK(pair.net.add_peer(pair.alice, pair.bob) != id);
}

TEST_CASE("a packet for a peer without endpoint is refused and its bytes are kept",
          "[sim][peers]") {
  Simulation net;
  auto& alice = net.add(1);
  auto& bob = net.add(2);
  net.add_peer(alice, bob, false);
  auto inside = inside_packet(1, 2, 3);
  const auto before = inside;
  tunnel_packet packet{};
  packet.data = inside.data();
  packet.length = packet.room = static_cast<std::uint32_t>(inside.size());
  const auto now = net.time();
  tunnel_core_seal(alice.core(), &packet, 1, &now);
  CHECK(packet.verdict == TUNNEL_DROP_NO_ENDPOINT);
  CHECK(inside == before);
  CHECK(tunnel_core_initiate(alice.core(), id_of(alice, bob), &now) == TUNNEL_ERR_UNAVAILABLE);
}

TEST_CASE("a packet without room around it is refused", "[sim][peers]") {
  Pair pair;
  pair.connect();
  auto inside = inside_packet(1, 2, 3, 80);
  std::array<std::uint8_t, 256> bytes{};
  std::copy(inside.begin(), inside.end(), bytes.begin() + 16);
  struct Row {
    std::uint32_t headroom, room;
    std::int32_t verdict;
  };
  for (const auto row : {Row{15, 200, TUNNEL_DROP_NO_ROOM}, Row{16, 95, TUNNEL_DROP_NO_ROOM},
                         Row{16, 96, TUNNEL_VERDICT_SEND}}) {
    tunnel_packet packet{};
    packet.data = bytes.data() + 16;
    packet.length = 80;
    packet.headroom = row.headroom;
    packet.room = row.room;
    const auto now = pair.net.time();
    tunnel_core_seal(pair.alice.core(), &packet, 1, &now);
    CHECK(packet.verdict == row.verdict);
    if (packet.verdict == TUNNEL_VERDICT_SEND) CHECK(packet.length == 80 + 32);
  }
}

TEST_CASE("data is padded to 16 bytes, never past the MTU", "[sim][peers][history]") {
  Pair pair;
  pair.connect();
  tunnel_core_set_mtu(pair.alice.core(), 1420);
  std::size_t wire = 0;
  pair.net.tap = [&](const Datagram& datagram) {
    if (datagram.type() == 4) wire = datagram.bytes.size();
  };
  for (const std::size_t size : {28u, 31u, 32u, 33u, 1408u, 1409u, 1419u, 1420u}) {
    pair.net.send(pair.alice, pair.bob, 1, size);
    CHECK(wire == std::min<std::size_t>((size + 15) / 16 * 16, 1420) + 32);
    pair.net.run_for(kSecond);
    CHECK(pair.bob.delivered.back().size() == size);
  }
}

TEST_CASE("without a staging pool seal says WAIT and the caller keeps the packet", "[sim][peers]") {
  Simulation net;
  Node::Options options;
  options.number = 1;
  options.config.staging_bytes = TUNNEL_STAGING_NONE;
  auto& alice = net.add(options);
  auto& bob = net.add(2);
  net.join(alice, bob);
  net.send(alice, bob, 1);
  CHECK(alice.seal_verdicts.back() == TUNNEL_VERDICT_WAIT);
  net.run_for(kSecond);
  net.send(alice, bob, 1);
  CHECK(alice.seal_verdicts.back() == TUNNEL_VERDICT_SEND);
}

TEST_CASE("stamps are taken in, given out and announced", "[sim][peers]") {
  Pair pair;
  pair.connect();
  CHECK(pair.bob.count(TUNNEL_EVENT_TIMESTAMP) == 1);
  CHECK(pair.alice.count(TUNNEL_EVENT_TIMESTAMP_FLOOR) == 1);
  const auto stamp = info_of(pair.bob, pair.alice);

  // A restarted bob that was given the stamp refuses the old initiation's successor-in-the-past.
  pair.bob.restart();
  pair.alice.restart();
  pair.net.add_peer(pair.alice, pair.bob);
  auto config = config_for(pair.alice);
  config.fields = TUNNEL_PEER_GREATEST_TIMESTAMP;
  std::copy(std::begin(stamp.greatest_timestamp), std::end(stamp.greatest_timestamp),
            config.greatest_timestamp);
  REQUIRE(tunnel_core_set_peer(pair.bob.core(), &config, nullptr) == TUNNEL_OK);
  pair.net.wall_offset = 0 - 3600 * kSecond;  // alice has no clock battery
  pair.net.send(pair.alice, pair.bob, 1);
  pair.net.run_for(kSecond);
  CHECK(pair.bob.drops(TUNNEL_DROP_OLD_TIMESTAMP) == 1);
}

TEST_CASE("a stored floor carries a device without clock over a restart", "[sim][peers]") {
  Pair pair;
  pair.connect();
  std::uint64_t floor = 0;
  for (const auto& event : pair.alice.events) {
    if (event.kind == TUNNEL_EVENT_TIMESTAMP_FLOOR) floor = static_cast<std::uint64_t>(event.value);
  }
  REQUIRE(floor >= kWallStart + 600 * kSecond);
  CHECK(pair.alice.counters().timestamp_floor_ns == floor);  // for whom the event did not reach
  Node::Options options;
  options.number = 1;
  options.seed = 99;
  options.config.timestamp_floor_ns = floor;
  pair.alice.address = ipv4(250);  // the old alice is gone
  auto& reborn = pair.net.add(options);
  CHECK(reborn.counters().timestamp_floor_ns == floor);
  pair.net.add_peer(reborn, pair.bob);
  pair.net.wall_offset = 0 - kWallStart;  // 1970
  pair.net.send(reborn, pair.bob, 5);
  pair.net.run_for(kSecond);
  CHECK(number_of(pair.bob.delivered.back()) == 5);
}

TEST_CASE("the cursor visits every peer once, also while peers come and go", "[sim][peers]") {
  Simulation net;
  auto& alice = net.add(1);
  std::set<std::uint64_t> expected;
  for (std::uint8_t i = 2; i < 60; ++i) expected.insert(net.add_peer(alice, net.add(i)));
  std::set<std::uint64_t> seen;
  std::uint64_t cursor = 0, id = 0;
  while (tunnel_core_next_peer(alice.core(), &cursor, &id) == TUNNEL_OK) {
    REQUIRE(seen.insert(id).second);
    if (seen.size() == 10) tunnel_core_remove_peer(alice.core(), id);
  }
  CHECK(seen == expected);
}

TEST_CASE("prefixes are added, moved between peers, taken away and replaced", "[sim][peers]") {
  Simulation net;
  auto& alice = net.add(1);
  auto& bob = net.add(2);
  auto& carol = net.add(3);
  const auto b = net.add_peer(alice, bob);
  const auto c = net.add_peer(alice, carol);
  auto shared = prefix4(9, 0, 24);
  auto config = config_for(bob);
  config.prefixes = &shared;
  config.prefix_count = 1;
  tunnel_core_set_peer(alice.core(), &config, nullptr);
  CHECK(prefixes_of(alice, b).size() == 2);
  config = config_for(carol);
  config.prefixes = &shared;
  config.prefix_count = 1;
  tunnel_core_set_peer(alice.core(), &config, nullptr);
  CHECK(prefixes_of(alice, b).size() == 1);
  CHECK(prefixes_of(alice, c).size() == 2);
  shared.flags = TUNNEL_PREFIX_REMOVE;
  tunnel_core_set_peer(alice.core(), &config, nullptr);
  CHECK(prefixes_of(alice, c).size() == 1);
  shared.flags = 0;
  config.flags = TUNNEL_PEER_REPLACE_PREFIXES;
  tunnel_core_set_peer(alice.core(), &config, nullptr);
  REQUIRE(prefixes_of(alice, c).size() == 1);
  CHECK(prefixes_of(alice, c)[0].bytes[2] == 9);
}

TEST_CASE("a public key of low order is refused, and changes nothing", "[sim][peers]") {
  Simulation net;
  auto& alice = net.add(1);
  const auto bob = net.add_peer(alice, net.add(2));
  tunnel_peer_config config = TUNNEL_PEER_CONFIG_INIT;
  const auto prefix = prefix4(0, 2);  // would move away from bob
  config.prefixes = &prefix;
  config.prefix_count = 1;
  config.public_key[0] = GENERATE(std::uint8_t{0}, std::uint8_t{1});
  config.public_key[31] = GENERATE(std::uint8_t{0}, std::uint8_t{0x80});
  std::uint64_t id = 0;
  CHECK(tunnel_core_set_peer(alice.core(), &config, &id) == TUNNEL_ERR_KEY);
  CHECK(id == 0);
  CHECK(alice.counters().peers == 1);
  CHECK(prefixes_of(alice, bob).size() == 1);
}

TEST_CASE("the maximum of peers is a clear error", "[sim][peers]") {
  Simulation net;
  Node::Options options;
  options.number = 1;
  options.config.max_peers = 2;
  auto& alice = net.add(options);
  net.add_peer(alice, net.add(2));
  net.add_peer(alice, net.add(3));
  const auto config = config_for(net.add(4));
  CHECK(tunnel_core_set_peer(alice.core(), &config, nullptr) == TUNNEL_ERR_LIMIT);
}

TEST_CASE("structs of another size: a known tail is taken, an unknown one refused",
          "[sim][peers]") {
  struct Newer {
    tunnel_core_config known = TUNNEL_CORE_CONFIG_INIT;
    std::uint64_t unknown = 0;
  } newer;
  newer.known.size = sizeof newer;
  tunnel_core* core = nullptr;
  REQUIRE(tunnel_core_create(&newer.known, &core) == TUNNEL_OK);
  tunnel_core_destroy(core);
  newer.unknown = 1;
  CHECK(tunnel_core_create(&newer.known, &core) == TUNNEL_ERR_VERSION);
  CHECK(core == nullptr);
  newer.known.size = 2;
  CHECK(tunnel_core_create(&newer.known, &core) == TUNNEL_ERR_ARGUMENT);
  CHECK(tunnel_core_create(nullptr, &core) == TUNNEL_ERR_ARGUMENT);
}
