// What an engine takes from the heap: as much as it says, within the budget it was given.
#include <array>
#include <optional>

#include "memory/counting_allocator.h"
#include "unit/engine/nodes.h"

namespace {

using namespace tunnel::test;

constexpr std::array<std::uint8_t, 2> kLeaves = {1, 2};

// A node that has little memory, like a phone's extension, and two peers, as small as itself.
struct SmallStar {
  SmallStar() {
    std::array<KeyPair, 3> keys;
    std::array<CorePtr, 3> cores;
    std::array<tunnel_address, 3> addresses{};
    std::array<tunnel_transport, 3> transports{};
    for (std::size_t i = 0; i < 3; ++i) {
      cores[i] = make_core(keys[i], TUNNEL_CORE_SMALL);
      transports[i] = open_loopback(addresses[i]);
    }
    for (const std::uint8_t leaf : kLeaves) {
      add_peer(cores[0].get(), keys[leaf].open, leaf, addresses[leaf]);
      add_peer(cores[leaf].get(), keys[0].open, 0, addresses[0]);
    }
    for (std::size_t i = 0; i < 3; ++i) start(i, std::move(cores[i]), transports[i]);
  }

  void start(std::size_t i, CorePtr core, tunnel_transport transport) {
    tunnel_device ends[2];
    REQUIRE(tunnel_device_pair(0, 0, ends) == TUNNEL_OK);
    const auto before = allocations().bytes_in_use;
    nodes[i].emplace(std::move(core), ends[0], transport,
                     Node::Options{TUNNEL_ENGINE_NO_INITIATE, TUNNEL_MEMORY_SMALL, 0});
    engine_bytes = allocations().bytes_in_use - before;
    nodes[i]->program.emplace(ends[1]);
    nodes[i]->start();
  }

  // As many packets at once as the sockets of every machine take.
  void exchange(std::uint8_t from, std::uint8_t to, std::uint32_t round) {
    constexpr std::uint32_t kBurst = 32;
    for (std::uint32_t i = 0; i < kBurst; ++i) {
      nodes[from]->program->send(inside_packet(from, to, round * kBurst + i, 1400));
    }
    for (std::uint32_t i = 0; i < kBurst; ++i) {
      REQUIRE(number_of(nodes[to]->program->receive()) == round * kBurst + i);
    }
  }

  std::array<std::optional<Node>, 3> nodes;
  std::int64_t engine_bytes = 0;  // that the last engine took at creation
};

}  // namespace

TEST_CASE("a small engine with two peers under load stays within its budget", "[memory]") {
  const auto before = allocations().bytes_in_use;
  forget_most_in_use();
  SmallStar star;
  const auto engine = static_cast<std::int64_t>(star.nodes[2]->counters().memory_bytes);
  constexpr auto kBudget = static_cast<std::int64_t>(TUNNEL_MEMORY_SMALL);
  CHECK(engine <= kBudget / 4);
  CHECK(star.engine_bytes >= engine);
  CHECK(star.engine_bytes < engine + 16 * 1024);  // Asio, and what malloc rounds up
  for (std::uint32_t round = 0; round < 50; ++round) {
    for (const std::uint8_t leaf : kLeaves) {
      star.exchange(0, leaf, round);
      star.exchange(leaf, 0, round);
    }
  }
  tunnel_counters core = TUNNEL_COUNTERS_INIT;
  star.nodes[0]->do_there([&](tunnel_core* own) { tunnel_core_counters(own, &core); });
  CHECK(core.sessions >= 2);
  CHECK(static_cast<std::int64_t>(core.memory_peak_bytes) + engine <= kBudget);
  CHECK(allocations().most_in_use - before < 3 * (4 << 20));  // with sockets and devices, each
}

TEST_CASE("an engine that does not fit into its budget is not made", "[memory]") {
  tunnel_address address{};
  auto transport = open_loopback(address);
  tunnel_device ends[2];
  REQUIRE(tunnel_device_pair(0, 0, ends) == TUNNEL_OK);
  const auto core = make_core({}, TUNNEL_CORE_SMALL);
  tunnel_engine_config config = TUNNEL_ENGINE_CONFIG_INIT;
  config.core = core.get();
  config.device = ends[0];
  config.transport = transport;
  tunnel_engine* engine = nullptr;
  for (const std::uint64_t budget : {std::uint64_t{1}, std::uint64_t{300} << 10}) {
    config.memory_budget = budget;
    CHECK(tunnel_engine_create(&config, &engine) == TUNNEL_ERR_MEMORY);
    CHECK(engine == nullptr);
  }
  // What was refused is the caller's still, and no limit was set.
  CHECK(tunnel_core_set_memory_limit(core.get(), 0) == TUNNEL_OK);
  for (auto& end : ends) end.ops->close(end.self);
  transport.ops->close(transport.self);
}
