// The profile without protection: an inside packet is a datagram. What is left to prove is that
// nothing but the configuration decides who is a peer, and that rubbish stays harmless.
#include "base/base.h"
#include "sim/pair.h"

using namespace sim;

namespace {

Node::Options plain_node(std::uint8_t number, std::uint32_t mtu = 1400) {
  Node::Options options;
  options.number = number;
  options.config.profile = TUNNEL_PROFILE_PLAIN;
  options.config.mtu = mtu;
  return options;
}

struct PlainPair {
  Simulation net;
  Node& alice = net.add(plain_node(1));
  Node& bob = net.add(plain_node(2));

  PlainPair() { net.join(alice, bob); }
  // What bob makes of these bytes from this address.
  std::int32_t verdict(const Bytes& bytes, const tunnel_address& from) {
    return net.open_now(bob, Datagram{0, 0, from, bob.address, bytes});
  }
};

tunnel_peer_config peer_of(const Node& node) {
  tunnel_peer_config config = TUNNEL_PEER_CONFIG_INIT;
  std::copy(node.public_key(), node.public_key() + 32, config.public_key);
  return config;
}

std::int32_t set_endpoint(Node& node, const Node& peer, const tunnel_address& endpoint) {
  tunnel_peer_config config = peer_of(peer);
  config.fields = TUNNEL_PEER_ENDPOINT;
  config.endpoint = endpoint;
  return tunnel_core_set_peer(node.core(), &config, nullptr);
}

}  // namespace

TEST_CASE("a plain datagram is the inside packet, byte for byte", "[sim][plain]") {
  PlainPair pair;
  std::vector<Bytes> wire;
  pair.net.tap = [&](const Datagram& datagram) { wire.push_back(datagram.bytes); };
  for (const std::size_t size : {28u, 84u, 1400u}) {
    pair.net.send(pair.alice, pair.bob, size, size);
    pair.net.send(pair.bob, pair.alice, size, size);
  }
  pair.net.run_for(kSecond);
  REQUIRE(wire.size() == 6);
  REQUIRE(pair.bob.delivered.size() == 3);
  REQUIRE(pair.alice.delivered.size() == 3);
  CHECK(wire[0] == inside_packet(1, 2, 28, 28));
  CHECK(wire[5] == inside_packet(2, 1, 1400, 1400));
  CHECK(pair.bob.delivered[2] == inside_packet(1, 2, 1400, 1400));
  const auto info = info_of(pair.bob, pair.alice);
  CHECK(info.rx_bytes == 28 + 84 + 1400);
  CHECK(info.tx_bytes == info.rx_bytes);
  CHECK(info.has_session == 1);
  CHECK(info.latest_handshake_ns == 0);
}

TEST_CASE("a plain packet needs no room around it and is not moved", "[sim][plain]") {
  PlainPair pair;
  tunnel_layout layout = TUNNEL_LAYOUT_INIT;
  REQUIRE(tunnel_core_layout(pair.alice.core(), &layout) == TUNNEL_OK);
  CHECK(layout.headroom == 0);
  CHECK(layout.tailroom == 0);
  CHECK(layout.padding == 1);
  CHECK(layout.mtu == 1400);
  CHECK(layout.profile == TUNNEL_PROFILE_PLAIN);
  CHECK(layout.poll_buffer > 0);

  auto bytes = inside_packet(1, 2, 1);
  const auto before = bytes;
  tunnel_packet packet{};
  packet.data = bytes.data();
  packet.length = packet.room = static_cast<std::uint32_t>(bytes.size());
  const auto now = pair.net.time();
  REQUIRE(tunnel_core_seal(pair.alice.core(), &packet, 1, &now) == TUNNEL_OK);
  CHECK(packet.verdict == TUNNEL_VERDICT_SEND);
  CHECK(packet.data == bytes.data());
  CHECK(packet.length == before.size());
  CHECK(tunnel::base::same_address(packet.remote, pair.bob.address));
  CHECK(packet.local.family == TUNNEL_FAMILY_NONE);
  CHECK(bytes == before);
}

TEST_CASE("a stranger's plausible packet is refused and teaches nothing", "[sim][plain][history]") {
  PlainPair pair;
  const auto plausible = inside_packet(1, 2, 7);
  CHECK(pair.verdict(plausible, ipv4(66)) == TUNNEL_DROP_UNKNOWN_PEER);
  CHECK(pair.verdict(plausible, ipv4(1, 40000)) == TUNNEL_DROP_UNKNOWN_PEER);  // another port
  auto scoped = pair.alice.address;
  scoped.scope = 3;
  CHECK(pair.verdict(plausible, scoped) == TUNNEL_DROP_UNKNOWN_PEER);
  CHECK(tunnel::base::same_address(info_of(pair.bob, pair.alice).endpoint, pair.alice.address));
  CHECK(info_of(pair.bob, pair.alice).rx_bytes == 0);
  CHECK(pair.bob.delivered.empty());
  CHECK(pair.bob.events.empty());
  CHECK(pair.bob.drops(TUNNEL_DROP_UNKNOWN_PEER) == 3);
  // What bob sends still goes where the configuration says.
  std::vector<tunnel_address> sent_to;
  pair.net.tap = [&](const Datagram& datagram) { sent_to.push_back(datagram.to); };
  pair.net.send(pair.bob, pair.alice, 1);
  REQUIRE(sent_to.size() == 1);
  CHECK(tunnel::base::same_address(sent_to[0], pair.alice.address));
}

TEST_CASE("empty, cut and foreign datagrams of the peer are dropped and counted",
          "[sim][plain][history]") {
  PlainPair pair;
  const auto from = pair.alice.address;
  auto longer_than_it_is = inside_packet(1, 2, 1);
  longer_than_it_is[3] = 200;
  auto version_5 = inside_packet(1, 2, 1);
  version_5[0] = 0x55;
  const std::vector<Bytes> rubbish{{},       {0x45}, {0x00}, Bytes(100, 0xff), longer_than_it_is,
                                   version_5};
  for (const auto& bytes : rubbish) CHECK(pair.verdict(bytes, from) == TUNNEL_DROP_INNER_MALFORMED);
  CHECK(pair.bob.drops(TUNNEL_DROP_INNER_MALFORMED) == rubbish.size());
  CHECK(pair.verdict({}, ipv4(66)) == TUNNEL_DROP_UNKNOWN_PEER);
  CHECK(pair.bob.delivered.empty());
  // And the tunnel works as before.
  CHECK(pair.verdict(inside_packet(1, 2, 2), from) == TUNNEL_VERDICT_DELIVER);
}

TEST_CASE("a datagram longer than its buffer is not delivered in part", "[sim][plain][history]") {
  PlainPair pair;
  auto bytes = inside_packet(1, 2, 1);
  tunnel_packet packet{};
  packet.data = bytes.data();
  packet.length = packet.room = static_cast<std::uint32_t>(bytes.size());
  packet.remote = pair.alice.address;
  packet.flags = TUNNEL_PACKET_TRUNCATED;
  const auto now = pair.net.time();
  REQUIRE(tunnel_core_open(pair.bob.core(), &packet, 1, &now) == TUNNEL_OK);
  CHECK(packet.verdict == TUNNEL_DROP_TOO_BIG);
}

TEST_CASE("bytes after the end of a plain packet are cut off", "[sim][plain]") {
  PlainPair pair;
  auto bytes = inside_packet(1, 2, 1);
  bytes.resize(bytes.size() + 30, 0xee);
  CHECK(pair.verdict(bytes, pair.alice.address) == TUNNEL_VERDICT_DELIVER);
  REQUIRE(pair.bob.delivered.size() == 1);
  CHECK(pair.bob.delivered[0] == inside_packet(1, 2, 1));
}

TEST_CASE("a plain peer speaks for its own inside addresses only", "[sim][plain]") {
  PlainPair pair;
  auto& carol = pair.net.add(plain_node(3));
  pair.net.add_peer(pair.bob, carol);
  CHECK(pair.verdict(inside_packet(3, 2, 1), pair.alice.address) == TUNNEL_DROP_NOT_ALLOWED);
  CHECK(pair.verdict(inside_packet(2, 2, 1), pair.alice.address) == TUNNEL_DROP_NOT_ALLOWED);
  CHECK(pair.verdict(inside_packet(3, 2, 1), carol.address) == TUNNEL_VERDICT_DELIVER);
}

TEST_CASE("an inside address that was taken away is nobody's at once", "[sim][plain]") {
  PlainPair pair;
  const auto& alice = pair.alice;
  const auto says = [&] { return pair.verdict(inside_packet(1, 2, 0), alice.address); };
  pair.net.send(pair.bob, alice, 0);  // who 10.0.0.1 is has just been asked
  auto config = peer_of(alice);
  tunnel_prefix prefix = prefix4(0, 1);
  config.prefixes = &prefix;
  config.prefix_count = 1;
  prefix.flags = TUNNEL_PREFIX_REMOVE;
  REQUIRE(tunnel_core_set_peer(pair.bob.core(), &config, nullptr) == TUNNEL_OK);
  CHECK(says() == TUNNEL_DROP_NOT_ALLOWED);
  prefix.flags = 0;
  REQUIRE(tunnel_core_set_peer(pair.bob.core(), &config, nullptr) == TUNNEL_OK);
  CHECK(says() == TUNNEL_VERDICT_DELIVER);
}

TEST_CASE("without an endpoint nothing is sent, and nothing comes back to the sender",
          "[sim][plain][history]") {
  Simulation net;
  auto& alice = net.add(plain_node(1));
  auto& bob = net.add(plain_node(2));
  net.add_peer(alice, bob, false);
  std::size_t datagrams = 0;
  net.tap = [&](const Datagram&) { ++datagrams; };
  net.send(alice, bob, 1);
  CHECK(alice.seal_verdicts == std::vector<std::int32_t>{TUNNEL_DROP_NO_ENDPOINT});
  CHECK(info_of(alice, bob).has_session == 0);
  // The address that the demonstration began with: every host is at home there.
  tunnel_address anywhere{};
  anywhere.family = TUNNEL_FAMILY_IPV4;
  anywhere.port = 54345;
  CHECK(set_endpoint(alice, bob, anywhere) == TUNNEL_ERR_ARGUMENT);
  anywhere.family = TUNNEL_FAMILY_IPV6;
  CHECK(set_endpoint(alice, bob, anywhere) == TUNNEL_ERR_ARGUMENT);
  CHECK(set_endpoint(alice, bob, ipv4(2, 0)) == TUNNEL_ERR_ARGUMENT);
  net.send(alice, bob, 2);
  net.run_for(kSecond);
  CHECK(datagrams == 0);
  CHECK(alice.delivered.empty());
}

TEST_CASE("an endpoint belongs to one plain peer, and moves by configuration", "[sim][plain]") {
  PlainPair pair;
  auto& carol = pair.net.add(plain_node(3));
  pair.net.add_peer(pair.bob, carol);
  CHECK(set_endpoint(pair.bob, carol, pair.alice.address) == TUNNEL_ERR_IN_USE);
  CHECK(tunnel::base::same_address(info_of(pair.bob, carol).endpoint, carol.address));
  CHECK(set_endpoint(pair.bob, carol, carol.address) == TUNNEL_OK);  // its own, once more

  REQUIRE(set_endpoint(pair.bob, pair.alice, ipv4(9)) == TUNNEL_OK);
  CHECK(pair.verdict(inside_packet(1, 2, 1), ipv4(9)) == TUNNEL_VERDICT_DELIVER);
  CHECK(pair.verdict(inside_packet(1, 2, 1), pair.alice.address) == TUNNEL_DROP_UNKNOWN_PEER);
  REQUIRE(set_endpoint(pair.bob, carol, pair.alice.address) == TUNNEL_OK);
  REQUIRE(set_endpoint(pair.bob, carol, tunnel_address{}) == TUNNEL_OK);  // cleared
  CHECK(pair.verdict(inside_packet(3, 2, 1), pair.alice.address) == TUNNEL_DROP_UNKNOWN_PEER);

  REQUIRE(tunnel_core_remove_peer(pair.bob.core(), id_of(pair.bob, pair.alice)) == TUNNEL_OK);
  CHECK(pair.verdict(inside_packet(1, 2, 1), ipv4(9)) == TUNNEL_DROP_UNKNOWN_PEER);
  REQUIRE(set_endpoint(pair.bob, carol, ipv4(9)) == TUNNEL_OK);
}

TEST_CASE("a plain core is never due and sends nothing by itself", "[sim][plain]") {
  PlainPair pair;
  pair.net.add_peer(pair.alice, pair.bob, true, 5);  // keepalive
  CHECK(info_of(pair.alice, pair.bob).keepalive_s == 5);
  std::size_t datagrams = 0;
  pair.net.tap = [&](const Datagram&) { ++datagrams; };
  const auto now = pair.net.time();
  CHECK(tunnel_core_initiate(pair.alice.core(), 0, &now) == TUNNEL_ERR_UNSUPPORTED);
  CHECK(tunnel_core_network_changed(pair.alice.core(), &now) == TUNNEL_OK);
  CHECK(tunnel_core_forget_sessions(pair.alice.core()) == TUNNEL_OK);
  CHECK(tunnel_core_deadline(pair.alice.core()) == TUNNEL_TIME_NEVER);
  pair.net.run_for(600 * kSecond);
  std::vector<std::uint8_t> bytes(2048);
  tunnel_packet packet{};
  packet.data = bytes.data();
  packet.room = 2048;
  const auto later = pair.net.time();
  CHECK(tunnel_core_poll(pair.alice.core(), &packet, 1, 1, &later) == 0);
  CHECK(datagrams == 0);
  // WireGuard's own messages are strangers' rubbish here, too.
  Bytes initiation(148);
  initiation[0] = 1;
  CHECK(pair.verdict(initiation, pair.alice.address) == TUNNEL_DROP_INNER_MALFORMED);
}

TEST_CASE("a plain core refuses keys, and names a peer by any 32 bytes but zero", "[sim][plain]") {
  PlainPair pair;
  auto* core = pair.alice.core();
  CHECK(tunnel_core_set_private_key(core, pair.alice.private_key()) == TUNNEL_ERR_UNSUPPORTED);
  CHECK(tunnel_core_set_private_key(core, nullptr) == TUNNEL_OK);
  auto config = peer_of(pair.bob);
  config.fields = TUNNEL_PEER_PRESHARED_KEY;
  CHECK(tunnel_core_set_peer(core, &config, nullptr) == TUNNEL_OK);  // "none"
  config.preshared_key[0] = 1;
  CHECK(tunnel_core_set_peer(core, &config, nullptr) == TUNNEL_ERR_UNSUPPORTED);
  tunnel_peer_config named = TUNNEL_PEER_CONFIG_INIT;
  CHECK(tunnel_core_set_peer(core, &named, nullptr) == TUNNEL_ERR_KEY);
  named.public_key[0] = 1;  // of low order, were it a key
  CHECK(tunnel_core_set_peer(core, &named, nullptr) == TUNNEL_OK);
}

TEST_CASE("the plain profile carries IP packets only", "[sim][plain]") {
  static const tunnel_router_ops kEverythingToOne{
      sizeof(tunnel_router_ops),
      [](void* peer, std::int32_t, tunnel_packet* packets, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
          packets[i].peer = *static_cast<std::uint64_t*>(peer);
        }
      }};
  std::uint64_t only = 0;
  auto options = plain_node(1);
  options.config.router = {&kEverythingToOne, &only};
  options.config.inner = TUNNEL_INNER_ETHERNET;
  tunnel_core* core = nullptr;
  CHECK(tunnel_core_create(&options.config, &core) == TUNNEL_ERR_UNSUPPORTED);

  options.config.inner = TUNNEL_INNER_IP;
  Simulation net;
  auto& alice = net.add(options);
  auto& bob = net.add(plain_node(2));
  auto config = peer_of(bob);
  config.fields = TUNNEL_PEER_ENDPOINT;
  config.endpoint = bob.address;
  REQUIRE(tunnel_core_set_peer(alice.core(), &config, &only) == TUNNEL_OK);
  Bytes frame(60, 0xff);
  tunnel_packet packet{};
  packet.data = frame.data();
  packet.length = packet.room = 60;
  const auto now = net.time();
  tunnel_core_seal(alice.core(), &packet, 1, &now);
  CHECK(packet.verdict == TUNNEL_DROP_INNER_MALFORMED);
}
