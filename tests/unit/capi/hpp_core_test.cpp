#include <array>
#include <tunnel/tunnel.hpp>
#include <type_traits>

#include "support/catch.hpp"

using tunnel::Core;
using tunnel::Key;
using tunnel::PublicKey;

static_assert(!std::is_copy_constructible_v<Core> && std::is_nothrow_move_constructible_v<Core>);

namespace {

constexpr tunnel_time kNow{1'000'000'000, 1'700'000'000'000'000'000};

Core core_with_key() {
  auto core = Core::create();
  REQUIRE(core);
  REQUIRE(core->set_private_key(*Key::generate_private()) == TUNNEL_OK);
  return std::move(*core);
}

std::uint64_t add_peer(Core& core, const PublicKey& key, const char* prefix, const char* endpoint) {
  const auto parsed = *tunnel::parse_prefix(prefix);
  tunnel_peer_config config = TUNNEL_PEER_CONFIG_INIT;
  std::copy(key.bytes.begin(), key.bytes.end(), config.public_key);
  config.fields = TUNNEL_PEER_ENDPOINT;
  config.endpoint = *tunnel::parse_address(endpoint);
  config.prefixes = &parsed;
  config.prefix_count = 1;
  const auto peer = core.set_peer(config);
  REQUIRE(peer);
  return *peer;
}

struct Buffer {
  std::array<std::uint8_t, 2048> bytes{};
  tunnel_packet packet{};

  std::span<tunnel_packet> empty() {
    packet = {};
    packet.data = bytes.data() + TUNNEL_HEADROOM;
    packet.headroom = TUNNEL_HEADROOM;
    packet.room = static_cast<std::uint32_t>(bytes.size()) - TUNNEL_HEADROOM;
    return {&packet, 1};
  }
  // An IPv4 packet without payload from 10.9.0.1 to 10.9.0.2.
  std::span<tunnel_packet> inside() {
    constexpr std::array<std::uint8_t, 20> kHeader{0x45, 0, 0,  20, 0, 0, 0,  0, 64, 253,
                                                   0,    0, 10, 9,  0, 1, 10, 9, 0,  2};
    (void)empty();
    std::copy(kHeader.begin(), kHeader.end(), packet.data);
    packet.length = kHeader.size();
    return {&packet, 1};
  }
};

}  // namespace

TEST_CASE("two cores shake hands through the C++ owners", "[capi][hpp]") {
  auto alice = core_with_key(), bob = core_with_key();
  const auto at_alice = add_peer(alice, *bob.public_key(), "10.9.0.2", "192.0.2.2:51820");
  const auto at_bob = add_peer(bob, *alice.public_key(), "10.9.0.1", "192.0.2.1:51820");
  CHECK(alice.deadline() == TUNNEL_TIME_NEVER);

  Buffer b;
  REQUIRE(alice.seal(b.inside(), kNow) == TUNNEL_OK);
  CHECK(b.packet.verdict == TUNNEL_VERDICT_HELD);
  CHECK(alice.deadline() <= kNow.mono_ns);
  auto* from = &alice;
  auto* to = &bob;
  for (int datagram = 0; datagram < 3; ++datagram) {
    REQUIRE(from->poll(b.empty(), 1, kNow) == 1);
    b.packet.remote = *tunnel::parse_address("192.0.2.9:51820");
    REQUIRE(to->open({&b.packet, 1}, kNow) == TUNNEL_OK);
    if (datagram < 2) std::swap(from, to);
  }
  CHECK(b.packet.verdict == TUNNEL_VERDICT_DELIVER);
  CHECK(b.packet.peer == at_bob);

  tunnel::PeerInfo info;
  REQUIRE(alice.get_peer(at_alice, info) == TUNNEL_OK);
  CHECK(info.has_session == 1);
  CHECK(alice.counters()->handshakes_completed == 1);
  CHECK(alice.cipher()->ops->key_size <= TUNNEL_CIPHER_KEY_MAX);
  auto event = alice.next_event();
  while (event && event->kind != TUNNEL_EVENT_HANDSHAKE) event = alice.next_event();
  REQUIRE(event);
  CHECK(event->peer == at_alice);
  CHECK(bob.remove_peer(at_bob) == TUNNEL_OK);
  CHECK(bob.remove_peer(at_bob) == TUNNEL_ERR_NOT_FOUND);
}

TEST_CASE("peers are found, walked over and described", "[capi][hpp]") {
  auto core = core_with_key();
  const auto key = *Key::generate_private()->public_key();
  const auto peer = add_peer(core, key, "fd00::/64", "[2001:db8::1]:51820");
  CHECK(*core.find_peer(key) == peer);
  CHECK(core.find_peer(*core.public_key()).status() == TUNNEL_ERR_NOT_FOUND);
  std::uint64_t cursor = 0;
  CHECK(*core.next_peer(cursor) == peer);
  CHECK(core.next_peer(cursor).status() == TUNNEL_ERR_NOT_FOUND);
  std::array<tunnel_prefix, 2> prefixes{};
  CHECK(*core.peer_prefixes(peer, prefixes) == 1);
  CHECK(tunnel::to_string(prefixes[0]) == "fd00::/64");
  tunnel::PeerInfo info;
  REQUIRE(core.get_peer(peer, info) == TUNNEL_OK);
  CHECK(tunnel::to_string(info.endpoint) == "[2001:db8::1]:51820");
}

TEST_CASE("a failure of the C function is the status of the result", "[capi][hpp]") {
  tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  config.profile = TUNNEL_PROFILE_PLAIN + 1;
  const auto core = Core::create(config);
  CHECK_FALSE(core);
  CHECK(core.status() == TUNNEL_ERR_UNSUPPORTED);
  auto empty = Core::create();
  REQUIRE(empty);
  CHECK(empty->public_key().status() == TUNNEL_ERR_NOT_FOUND);
  auto* raw = empty->release();
  CHECK(empty->get() == nullptr);
  CHECK(Core(raw).layout()->mtu == TUNNEL_MTU_DEFAULT);
}
