#include "engine/engine.h"

#include "engine/wake.h"
#include "nodes.h"
#include "scripted.h"
#include "support/catch.hpp"

using tunnel::test::inside_packet;
using tunnel::test::Node;
using tunnel::test::UdpPair;

namespace {

// A node that talks to nobody.
struct LonelyNode {
  LonelyNode() {
    tunnel_address address{};
    auto transport = tunnel::test::open_loopback(address);
    node.emplace(tunnel::test::make_core({}), transport);
  }

  std::optional<Node> node;
};

struct Parts {
  tunnel::test::CorePtr core = tunnel::test::make_core({});
  tunnel::test::ScriptedDevice device;
  tunnel::test::ScriptedTransport transport;

  tunnel_engine_config config() {
    tunnel_engine_config config = TUNNEL_ENGINE_CONFIG_INIT;
    config.core = core.get();
    config.device = device.table();
    config.transport = transport.table();
    return config;
  }
};

}  // namespace

TEST_CASE("two engines carry packets both ways over UDP", "[engine]") {
  UdpPair pair;
  pair.start();
  for (std::uint32_t i = 0; i < 200; ++i) pair.ping(i);
  for (Node* node : {&*pair.a, &*pair.b}) node->catch_up();  // what is written is counted then
  CHECK(pair.a->counters().device_packets_in == 200);
  CHECK(pair.b->counters().device_packets_out == 200);
  CHECK(pair.a->counters().running == 1);
  CHECK(pair.a->stop() == TUNNEL_OK);
  CHECK(pair.a->counters().running == 0);
  CHECK(pair.b->stop() == TUNNEL_OK);
}

TEST_CASE("an engine initiates at start to the peers it can reach", "[engine]") {
  UdpPair pair;
  pair.start();
  CHECK(pair.a->await_event(TUNNEL_EVENT_HANDSHAKE).value == 1);
}

TEST_CASE("a stop before run makes that run return, and the next one runs", "[engine]") {
  UdpPair pair;
  for (int i = 0; i < 2; ++i) CHECK(tunnel_engine_stop(pair.a->engine()) == TUNNEL_OK);
  CHECK(tunnel_engine_run(pair.a->engine()) == TUNNEL_OK);
  pair.start();
  pair.ping(1);
  CHECK(pair.a->stop() == TUNNEL_OK);
  pair.a->start();
  pair.ping(2);
}

TEST_CASE("a running engine can neither run again nor be destroyed", "[engine]") {
  LonelyNode lonely;
  lonely.node->start();
  lonely.node->catch_up();
  CHECK(tunnel_engine_run(lonely.node->engine()) == TUNNEL_ERR_STATE);
  CHECK(tunnel_engine_destroy(lonely.node->engine()) == TUNNEL_ERR_STATE);
  std::int32_t from_within = TUNNEL_OK;
  lonely.node->do_there(
      [&](tunnel_core*) { from_within = tunnel_engine_destroy(lonely.node->engine()); });
  CHECK(from_within == TUNNEL_ERR_STATE);
  lonely.node->catch_up();
}

TEST_CASE("tasks run in order on the engine's thread", "[engine]") {
  LonelyNode lonely;
  struct Order {
    std::vector<int> seen;
    std::thread::id thread;
  } order;
  for (int i = 0; i < 3; ++i) {
    const tunnel_task task = [](void* context, tunnel_core* core) {
      auto& own = *static_cast<Order*>(context);
      own.seen.push_back(static_cast<int>(own.seen.size()) + (core != nullptr ? 0 : 100));
      own.thread = std::this_thread::get_id();
    };
    CHECK(tunnel_engine_post(lonely.node->engine(), task, &order) == TUNNEL_OK);
  }
  lonely.node->start();
  lonely.node->do_there([&](tunnel_core*) { order.seen.push_back(3); });
  CHECK(order.seen == std::vector{0, 1, 2, 3});
  CHECK(order.thread != std::this_thread::get_id());
}

TEST_CASE("a task that never ran gets its context back without a core", "[engine]") {
  bool called = false;
  {
    LonelyNode lonely;
    const tunnel_task task = [](void* context, tunnel_core* core) {
      *static_cast<bool*>(context) = core == nullptr;
    };
    CHECK(tunnel_engine_post(lonely.node->engine(), task, &called) == TUNNEL_OK);
  }
  CHECK(called);
}

TEST_CASE("an idle engine never wakes up", "[engine]") {
  UdpPair pair;
  pair.start();
  pair.ping(1);
  for (Node* node : {&*pair.a, &*pair.b}) node->catch_up();
  const auto before = pair.a->counters();

  // Nothing is to happen for as long as this waits; the deadlines of the session lie beyond it.
  tunnel_event event = TUNNEL_EVENT_INIT;
  while (tunnel_engine_next_event(pair.a->engine(), &event) == 1) {
  }
  pollfd quiet{static_cast<int>(tunnel_engine_event_handle(pair.a->engine())), POLLIN, 0};
  CHECK(::poll(&quiet, 1, 1000) == 0);

  const auto after = pair.a->counters();
  // One at most: the engine may have run the last task without waiting, and sees its wake later.
  CHECK(after.wakeups <= before.wakeups + 1);
  CHECK(after.transport_reads == before.transport_reads);
}

TEST_CASE("a device that is gone ends the run and is told", "[engine]") {
  LonelyNode lonely;
  lonely.node->start();
  lonely.node->catch_up();
  lonely.node->program->close();
  CHECK(lonely.node->await_event(TUNNEL_EVENT_DEVICE_LOST).value == TUNNEL_ERR_CLOSED);
  CHECK(lonely.node->result() == TUNNEL_ERR_CLOSED);
}

TEST_CASE("a full device holds the sender back without a loss", "[engine]") {
  UdpPair pair;
  pair.start();
  pair.ping(0);
  // More than the receiving program's end takes at once. The sender waits when its own end is full;
  // between the two only the socket buffers could lose something, and they hold all of it.
  constexpr std::uint32_t kPackets = 600;
  auto sent = std::async(std::launch::async, [&] {
    bool all = true;
    for (std::uint32_t i = 0; i < kPackets; ++i) {
      all = pair.a->program->try_send(inside_packet(1, 2, i)) && all;
    }
    return all;
  });
  for (std::uint32_t i = 0; i < kPackets; ++i) {
    CHECK(tunnel::test::number_of(pair.b->program->receive()) == i);
  }
  CHECK(sent.get());
}

TEST_CASE("a device without handles is looked at after a notify", "[engine]") {
  Parts parts;
  std::atomic<bool> gone{false};
  auto ops = parts.device.ops;
  ops.read = [](void* self, const tunnel_slab*, tunnel_packet*, std::size_t) {
    return static_cast<std::atomic<bool>*>(self)->load() ? TUNNEL_ERR_CLOSED : TUNNEL_OK;
  };
  ops.close = [](void*) {};
  ops.mtu = nullptr;
  Node node(std::move(parts.core), tunnel_device{&ops, &gone}, parts.transport.table());
  node.start();
  node.catch_up();
  gone = true;
  CHECK(tunnel_engine_notify(node.engine()) == TUNNEL_OK);
  CHECK(node.result() == TUNNEL_ERR_CLOSED);
}

// A handle on which it can only be said that there is room again tells nothing of packets.
TEST_CASE("a device without a handle for reading is read until it has nothing", "[engine]") {
  static const auto handle = tunnel::engine::Wake::open();
  REQUIRE(handle);
  Parts parts;
  parts.device.most = 3;
  parts.device.ops.wait = [](void*, tunnel_handle* handles, std::size_t) {
    handles[0] = {handle->handle(), 0, 0};
    return std::int32_t{1};
  };
  Node node(std::move(parts.core), parts.device.table(), parts.transport.table());
  node.start();
  node.catch_up();
  node.do_there([&](tunnel_core*) {
    for (std::uint32_t i = 0; i < 30; ++i) parts.device.input.push_back(inside_packet(1, 2, i));
  });
  // Another task would wake it and make it look; so only its counters are watched.
  const auto end = std::chrono::steady_clock::now() + tunnel::test::kPatience;
  while (node.counters().device_packets_in < 30 && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  CHECK(node.counters().device_packets_in == 30);
}

TEST_CASE("create refuses what it cannot use and adopts nothing then", "[engine]") {
  Parts parts;
  tunnel_engine* engine = nullptr;
  auto config = parts.config();
  config.core = nullptr;
  CHECK(tunnel_engine_create(&config, &engine) == TUNNEL_ERR_ARGUMENT);
  config = parts.config();
  config.device.ops = nullptr;
  CHECK(tunnel_engine_create(&config, &engine) == TUNNEL_ERR_ARGUMENT);
  config = parts.config();
  config.batch = 129;
  CHECK(tunnel_engine_create(&config, &engine) == TUNNEL_ERR_ARGUMENT);
  config = parts.config();
  config.flags = 0x80;
  CHECK(tunnel_engine_create(&config, &engine) == TUNNEL_ERR_ARGUMENT);
  config = parts.config();
  config.memory_budget = 1;
  CHECK(tunnel_engine_create(&config, &engine) == TUNNEL_ERR_MEMORY);
  config = parts.config();
  parts.transport.ops.write = nullptr;
  CHECK(tunnel_engine_create(&config, &engine) == TUNNEL_ERR_ARGUMENT);
  CHECK(engine == nullptr);
  CHECK_FALSE(parts.device.closed);
  CHECK_FALSE(parts.transport.closed);
}

TEST_CASE("create without descriptors says so, adopts nothing and leaks nothing", "[engine]") {
  Parts parts;
  const auto config = parts.config();
  tunnel_engine* engine = nullptr;
  std::vector<std::int32_t> refusals;
  for (rlim_t more = 0; engine == nullptr && more < 20; ++more) {
    const tunnel::test::DescriptorLimit limit(more);
    refusals.push_back(tunnel_engine_create(&config, &engine));
  }
  REQUIRE(engine != nullptr);
  [[maybe_unused]] const auto* adopted = parts.core.release();
  const tunnel::test::EnginePtr owner(engine);
  CHECK(refusals.size() > 3);
  CHECK(refusals.back() == TUNNEL_OK);
  refusals.pop_back();
  for (const auto refusal : refusals) CHECK(refusal == TUNNEL_ERR_RESOURCES);
}

TEST_CASE("destroy closes what create adopted", "[engine]") {
  Parts parts;
  auto config = parts.config();
  tunnel_engine* engine = nullptr;
  REQUIRE(tunnel_engine_create(&config, &engine) == TUNNEL_OK);
  [[maybe_unused]] const auto* adopted = parts.core.release();
  CHECK(tunnel_engine_destroy(engine) == TUNNEL_OK);
  CHECK(parts.device.closed);
  CHECK(parts.transport.closed);
  CHECK(tunnel_engine_destroy(nullptr) == TUNNEL_OK);
}

TEST_CASE("members that a table does not have are unsupported", "[engine]") {
  Parts parts;
  parts.transport.ops.size = offsetof(tunnel_transport_ops, rebind);
  auto config = parts.config();
  tunnel_engine* engine = nullptr;
  REQUIRE(tunnel_engine_create(&config, &engine) == TUNNEL_OK);
  [[maybe_unused]] const auto* adopted = parts.core.release();
  const tunnel::test::EnginePtr owner(engine);
  CHECK(tunnel_engine_rebind(engine) == TUNNEL_ERR_UNSUPPORTED);
  CHECK(tunnel_engine_set_port(engine, 1) == TUNNEL_ERR_UNSUPPORTED);
  CHECK(tunnel_engine_set_mark(engine, 1) == TUNNEL_ERR_UNSUPPORTED);
  CHECK(tunnel_engine_port(engine) == TUNNEL_ERR_UNSUPPORTED);
  CHECK(tunnel_engine_set_offload(engine, 0) == TUNNEL_ERR_UNSUPPORTED);
}

TEST_CASE("offloads of both sides are switched by the engine's thread", "[engine]") {
  Parts parts;
  static std::vector<std::pair<char, std::uint32_t>> switched;
  switched.clear();
  parts.device.ops.offload = [](void*, std::uint32_t enable) {
    switched.emplace_back('d', enable);
    return std::int32_t{TUNNEL_ERR_UNSUPPORTED};  // which holds up nothing
  };
  parts.transport.ops.offload = [](void*, std::uint32_t enable) {
    switched.emplace_back('t', enable);
    return std::int32_t{TUNNEL_OK};
  };
  auto config = parts.config();
  tunnel_engine* engine = nullptr;
  REQUIRE(tunnel_engine_create(&config, &engine) == TUNNEL_OK);
  [[maybe_unused]] const auto* adopted = parts.core.release();
  const tunnel::test::EnginePtr owner(engine);
  CHECK(tunnel_engine_set_offload(nullptr, 0) == TUNNEL_ERR_ARGUMENT);
  CHECK(tunnel_engine_set_offload(engine, 2) == TUNNEL_ERR_ARGUMENT);
  CHECK(tunnel_engine_set_offload(engine, 0) == TUNNEL_OK);
  CHECK(tunnel_engine_set_offload(engine, 1) == TUNNEL_OK);
  CHECK(switched.empty());
  const tunnel_task stop = [](void* own, tunnel_core*) {
    tunnel_engine_stop(static_cast<tunnel_engine*>(own));
  };
  REQUIRE(tunnel_engine_post(engine, stop, engine) == TUNNEL_OK);
  CHECK(tunnel_engine_run(engine) == TUNNEL_OK);
  CHECK(switched ==
        std::vector<std::pair<char, std::uint32_t>>{{'d', 0}, {'t', 0}, {'d', 1}, {'t', 1}});
}
