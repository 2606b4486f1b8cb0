// What a core holds is counted, and a limit refuses more before anything has changed.
#include <cstring>
#include <random>

#include "sim/pair.h"

using namespace sim;

namespace {

struct CoreDeleter {
  void operator()(tunnel_core* core) const { tunnel_core_destroy(core); }
};

std::unique_ptr<tunnel_core, CoreDeleter> make_core(std::uint32_t flags) {
  tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  config.flags = flags;
  tunnel_core* core = nullptr;
  REQUIRE(tunnel_core_create(&config, &core) == TUNNEL_OK);
  return std::unique_ptr<tunnel_core, CoreDeleter>(core);
}

tunnel_counters counters_of(const tunnel_core* core) {
  tunnel_counters counters = TUNNEL_COUNTERS_INIT;
  REQUIRE(tunnel_core_counters(core, &counters) == TUNNEL_OK);
  return counters;
}

std::uint64_t memory_of(const tunnel_core* core) {
  return counters_of(core).memory_bytes;
}

// A peer with up to three random prefixes; the same `number` is the same peer.
struct RandomPeer {
  RandomPeer(std::uint32_t number, std::mt19937& random) {
    std::memcpy(config.public_key, &number, sizeof number);
    config.public_key[31] = 1;
    for (auto& prefix : prefixes) {
      prefix.family = random() % 2 == 0 ? TUNNEL_FAMILY_IPV4 : TUNNEL_FAMILY_IPV6;
      prefix.length = static_cast<std::uint8_t>(random() % 33);
      for (auto& byte : prefix.bytes) byte = static_cast<std::uint8_t>(random());
    }
    config.prefixes = prefixes.data();
    config.prefix_count = random() % (prefixes.size() + 1);
  }

  std::array<tunnel_prefix, 3> prefixes{};
  tunnel_peer_config config = TUNNEL_PEER_CONFIG_INIT;
};

}  // namespace

TEST_CASE("a core never holds more than its limit", "[sim][memory]") {
  const auto core = make_core(0);
  std::mt19937 random(1);
  std::uint32_t refused = 0;
  // Far enough for the tables to grow in all their steps: 8,192 prefixes of a family are one.
  for (std::uint32_t number = 1; number <= 12'000; ++number) {
    const auto before = memory_of(core.get());
    const auto limit = before + (random() % 8 == 0 ? random() % 400'000 : random() % 20'000);
    REQUIRE(tunnel_core_set_memory_limit(core.get(), limit) == TUNNEL_OK);
    RandomPeer peer(number, random);
    const auto status = tunnel_core_set_peer(core.get(), &peer.config, nullptr);
    REQUIRE(memory_of(core.get()) <= limit);
    std::uint64_t id = 0;
    const auto found = tunnel_core_find_peer(core.get(), peer.config.public_key, &id);
    REQUIRE(found == (status == TUNNEL_OK ? TUNNEL_OK : TUNNEL_ERR_NOT_FOUND));
    if (status == TUNNEL_OK) continue;
    REQUIRE(status == TUNNEL_ERR_MEMORY);
    ++refused;
    REQUIRE(tunnel_core_set_memory_limit(core.get(), 0) == TUNNEL_OK);
    REQUIRE(tunnel_core_set_peer(core.get(), &peer.config, nullptr) == TUNNEL_OK);
  }
  CHECK(refused > 100);
  CHECK(counters_of(core.get()).memory_peak_bytes == memory_of(core.get()));
}

TEST_CASE("a limit below what a core holds is refused and changes nothing", "[sim][memory]") {
  const auto core = make_core(TUNNEL_CORE_SMALL);
  const auto held = memory_of(core.get());
  REQUIRE(tunnel_core_set_memory_limit(core.get(), held) == TUNNEL_OK);
  CHECK(tunnel_core_set_memory_limit(core.get(), held - 1) == TUNNEL_ERR_MEMORY);
  std::mt19937 random(1);
  RandomPeer peer(1, random);
  CHECK(tunnel_core_set_peer(core.get(), &peer.config, nullptr) == TUNNEL_ERR_MEMORY);
  CHECK(memory_of(core.get()) == held);
}

TEST_CASE("the peak stays when peers go", "[sim][memory]") {
  const auto core = make_core(TUNNEL_CORE_SMALL);
  std::mt19937 random(1);
  std::vector<std::uint64_t> ids(500);
  for (std::uint32_t i = 0; i < ids.size(); ++i) {
    RandomPeer peer(i + 1, random);
    REQUIRE(tunnel_core_set_peer(core.get(), &peer.config, &ids[i]) == TUNNEL_OK);
  }
  const auto most = memory_of(core.get());
  for (const auto id : ids) REQUIRE(tunnel_core_remove_peer(core.get(), id) == TUNNEL_OK);
  CHECK(memory_of(core.get()) < most);
  CHECK(counters_of(core.get()).memory_peak_bytes == most);
}

TEST_CASE("without memory for a session a handshake is dropped by name", "[sim][memory]") {
  Pair pair;
  const auto held = memory_of(pair.bob.core());
  REQUIRE(tunnel_core_set_memory_limit(pair.bob.core(), held) == TUNNEL_OK);
  pair.net.send(pair.alice, pair.bob, 0);
  pair.net.run_for(kSecond);
  CHECK(pair.bob.delivered.empty());
  CHECK(pair.bob.drops(TUNNEL_DROP_EXHAUSTED) > 0);
  CHECK(memory_of(pair.bob.core()) == held);

  REQUIRE(tunnel_core_set_memory_limit(pair.bob.core(), 0) == TUNNEL_OK);
  pair.net.run_for(10 * kSecond);
  CHECK(pair.bob.delivered.size() == 1);
  CHECK(memory_of(pair.bob.core()) > held);
}

TEST_CASE("a small core holds a quarter of what a usual one does", "[sim][memory]") {
  CHECK(memory_of(make_core(TUNNEL_CORE_SMALL).get()) * 3 < memory_of(make_core(0).get()));
  tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  config.flags = TUNNEL_CORE_SMALL << 1;
  tunnel_core* core = nullptr;
  CHECK(tunnel_core_create(&config, &core) == TUNNEL_ERR_ARGUMENT);
}
