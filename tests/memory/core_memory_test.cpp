// What the core takes from the heap: nothing per packet, little per peer.
#include <tunnel/tunnel.h>

#include <array>
#include <iostream>
#include <vector>

#include "memory/counting_allocator.h"
#include "sim/pair.h"

using namespace sim;

namespace {

std::uint64_t seal_and_open(Pair& pair, std::size_t packets) {
  std::vector<std::array<std::uint8_t, 2048>> buffers(64);
  std::vector<tunnel_packet> batch(64);
  const auto inside = inside_packet(1, 2, 1, 1400);
  const auto before = allocations().calls;
  std::uint64_t delivered = 0;
  for (std::size_t done = 0; done < packets; done += batch.size()) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      std::copy(inside.begin(), inside.end(), buffers[i].begin() + 16);
      batch[i] = {};
      batch[i].data = buffers[i].data() + 16;
      batch[i].length = static_cast<std::uint32_t>(inside.size());
      batch[i].room = 2032;
      batch[i].headroom = 16;
    }
    const auto now = pair.net.time();
    tunnel_core_seal(pair.alice.core(), batch.data(), batch.size(), &now);
    for (auto& packet : batch) packet.remote = pair.alice.address;
    tunnel_core_open(pair.bob.core(), batch.data(), batch.size(), &now);
    for (const auto& packet : batch) delivered += packet.verdict == TUNNEL_VERDICT_DELIVER;
  }
  CHECK(delivered == packets);
  return allocations().calls - before;
}

}  // namespace

TEST_CASE("the packet path allocates nothing", "[memory]") {
  Pair pair;
  pair.connect();
  CHECK(seal_and_open(pair, 64'000) == 0);
}

TEST_CASE("the plain packet path allocates nothing, and no pool for packets that wait",
          "[memory][plain]") {
  const auto before = allocations().bytes_in_use;
  Simulation net;
  Node::Options options;
  options.config.profile = TUNNEL_PROFILE_PLAIN;
  options.number = 1;
  auto& alice = net.add(options);
  options.number = 2;
  auto& bob = net.add(options);
  net.join(alice, bob);
  CHECK(allocations().bytes_in_use - before < 1u << 20);  // a WireGuard core takes more by itself
  auto bytes = inside_packet(1, 2, 1, 1400);
  const auto calls = allocations().calls;
  const auto now = net.time();
  std::uint64_t delivered = 0;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    tunnel_packet packet{};
    packet.data = bytes.data();
    packet.length = packet.room = i % 3 == 0 ? 10 : 1400;
    tunnel_core_seal(alice.core(), &packet, 1, &now);
    packet.remote = i % 5 == 0 ? ipv4(66) : alice.address;
    tunnel_core_open(bob.core(), &packet, 1, &now);
    delivered += packet.verdict == TUNNEL_VERDICT_DELIVER;
  }
  CHECK(allocations().calls == calls);
  CHECK(delivered == 53'333);
}

TEST_CASE("garbage allocates nothing", "[memory]") {
  Pair pair;
  pair.connect();
  std::array<std::uint8_t, 256> bytes{};
  const auto before = allocations().calls;
  const auto now = pair.net.time();
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    tunnel_packet packet{};
    bytes[0] = static_cast<std::uint8_t>(i % 6);
    bytes[4] = static_cast<std::uint8_t>(i);
    packet.data = bytes.data();
    packet.length = std::array<std::uint32_t, 4>{148, 92, 64, 96}[i % 4];
    packet.room = 256;
    packet.remote = ipv4(66);
    tunnel_core_open(pair.bob.core(), &packet, 1, &now);
  }
  CHECK(allocations().calls == before);
}

TEST_CASE("100,000 idle peers take at most 600 bytes each", "[memory]") {
  constexpr std::uint32_t kPeers = 100'000;
  tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  tunnel_core* core = nullptr;
  REQUIRE(tunnel_core_create(&config, &core) == TUNNEL_OK);
  const auto before = allocations().bytes_in_use;
  for (std::uint32_t i = 0; i < kPeers; ++i) {
    tunnel_prefix prefix{};
    prefix.family = TUNNEL_FAMILY_IPV4;
    prefix.length = 32;
    prefix.bytes[0] = 10;
    prefix.bytes[1] = static_cast<std::uint8_t>(i >> 16);
    prefix.bytes[2] = static_cast<std::uint8_t>(i >> 8);
    prefix.bytes[3] = static_cast<std::uint8_t>(i);
    tunnel_peer_config peer = TUNNEL_PEER_CONFIG_INIT;
    for (std::size_t at = 0; at < 32; ++at) {
      peer.public_key[at] = static_cast<std::uint8_t>((i >> (8 * (at % 4))) + at);
    }
    peer.fields = TUNNEL_PEER_ENDPOINT;
    peer.endpoint = ipv4(7);
    peer.prefixes = &prefix;
    peer.prefix_count = 1;
    REQUIRE(tunnel_core_set_peer(core, &peer, nullptr) == TUNNEL_OK);
  }
  const auto per_peer = static_cast<double>(allocations().bytes_in_use - before) / kPeers;
  tunnel_counters counters = TUNNEL_COUNTERS_INIT;
  tunnel_core_counters(core, &counters);
  std::cout << "bytes per idle peer: " << per_peer << ", as the core says "
            << static_cast<double>(counters.memory_bytes) / kPeers << "\n";
  CHECK(per_peer <= 600);
  CHECK(tunnel_core_deadline(core) == TUNNEL_TIME_NEVER);  // and no tick
  tunnel_core_destroy(core);
}

TEST_CASE("a destroyed core leaves nothing", "[memory]") {
  const auto before = allocations().bytes_in_use;
  {
    Pair pair;
    pair.connect();
  }
  CHECK(allocations().bytes_in_use == before);
}
