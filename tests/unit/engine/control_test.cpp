// What the engine does between batches: commands, network changes, errors of the transport.
#include <atomic>

#include "engine/clock.h"
#include "engine/engine.h"
#include "nodes.h"
#include "scripted.h"
#include "support/catch.hpp"

using tunnel::test::inside_packet;
using tunnel::test::Node;
using tunnel::test::UdpPair;

namespace {

// A node whose device and transport a test scripts. They may be touched before start() and in
// tasks.
struct ScriptedNode {
  tunnel::test::ScriptedDevice device;
  tunnel::test::ScriptedTransport transport;
  std::optional<Node> node;

  ScriptedNode() {
    tunnel::test::CorePair pair({tunnel::test::scripted_remote(), tunnel::test::scripted_remote()});
    node.emplace(std::move(pair.cores[0]), device.table(), transport.table());
  }
};

// A peer takes one initiation in 20 ms; a test that is faster would wait 5 s for the next attempt.
// So this lasts 25 ms after the node has worked off what came; its program reads meanwhile.
void outlast_flood_limit(Node& node) {
  const auto time = [] { return tunnel::engine::read_clocks().mono_ns; };
  for (auto end = time() + 25'000'000; time() < end;) {
    node.program->discard();
    node.do_there([&](tunnel_core* core) {
      if (tunnel_core_deadline(core) <= time()) end = time() + 25'000'000;
    });
  }
}

}  // namespace

TEST_CASE("a suspended engine moves nothing, and starts anew at resume", "[engine][control]") {
  UdpPair pair;
  pair.start();
  pair.ping(1);
  CHECK(tunnel_engine_suspend(pair.a->engine()) == TUNNEL_OK);
  tunnel_counters counters = TUNNEL_COUNTERS_INIT;
  pair.a->do_there([&](tunnel_core* core) { tunnel_core_counters(core, &counters); });
  CHECK(counters.peers == 1);
  CHECK(counters.sessions == 0);
  const auto before = pair.a->counters();
  pair.a->program->send(inside_packet(1, 2, 2));
  pair.b->program->send(inside_packet(2, 1, 2));
  for (int i = 0; i < 3; ++i) pair.a->catch_up();
  const auto after = pair.a->counters();
  CHECK(after.device_packets_in == before.device_packets_in);
  CHECK(after.transport_packets_in == before.transport_packets_in);

  outlast_flood_limit(*pair.a);
  CHECK(tunnel_engine_resume(pair.a->engine()) == TUNNEL_OK);
  CHECK(pair.b->program->receive() == inside_packet(1, 2, 2));
  pair.ping(3);
}

TEST_CASE("an engine suspended before it runs waits for resume", "[engine][control]") {
  UdpPair pair;
  CHECK(tunnel_engine_suspend(pair.a->engine()) == TUNNEL_OK);
  pair.start();
  pair.a->program->send(inside_packet(1, 2, 1));
  for (int i = 0; i < 3; ++i) pair.a->catch_up();
  CHECK(pair.a->counters().device_packets_in == 0);
  CHECK(tunnel_engine_resume(pair.a->engine()) == TUNNEL_OK);
  CHECK(pair.b->program->receive() == inside_packet(1, 2, 1));
}

TEST_CASE("the tunnel goes on after a rebind", "[engine][control]") {
  UdpPair pair;
  pair.start();
  pair.ping(0);
  for (std::uint32_t i = 1; i < 6; ++i) {
    CHECK(tunnel_engine_rebind(pair.a->engine()) == TUNNEL_OK);
    pair.a->catch_up();
    pair.ping(i);
  }
}

TEST_CASE("a rebind without descriptors is told and changes nothing", "[engine][control]") {
  UdpPair pair;
  pair.start();
  pair.ping(1);
  {
    const tunnel::test::DescriptorLimit limit(0);
    tunnel_engine_rebind(pair.a->engine());
    pair.a->catch_up();
  }
  CHECK(pair.a->await_event(TUNNEL_EVENT_TRANSPORT).value == TUNNEL_ERR_RESOURCES);
  pair.ping(2);
  CHECK(tunnel_engine_rebind(pair.a->engine()) == TUNNEL_OK);
  pair.a->catch_up();
  pair.ping(3);
}

TEST_CASE("the port can be changed, and the peer follows", "[engine][control]") {
  UdpPair pair;
  pair.start();
  pair.ping(1);
  const auto before = tunnel_engine_port(pair.a->engine());
  CHECK(tunnel_engine_set_port(pair.a->engine(), 0) == TUNNEL_OK);
  pair.a->catch_up();
  CHECK(tunnel_engine_port(pair.a->engine()) != before);
  CHECK(pair.b->await_event(TUNNEL_EVENT_ENDPOINT).address.port ==
        tunnel_engine_port(pair.a->engine()));
  pair.ping(2);
}

TEST_CASE("a port that is taken is told and changes nothing", "[engine][control]") {
  UdpPair pair;
  pair.start();
  pair.ping(1);
  const auto before = tunnel_engine_port(pair.a->engine());
  const auto taken = static_cast<std::uint16_t>(tunnel_engine_port(pair.b->engine()));
  CHECK(tunnel_engine_set_port(pair.a->engine(), taken) == TUNNEL_OK);
  CHECK(pair.a->await_event(TUNNEL_EVENT_TRANSPORT).value == TUNNEL_ERR_IN_USE);
  CHECK(tunnel_engine_port(pair.a->engine()) == before);
  pair.ping(2);
}

TEST_CASE("a broken transport is opened anew", "[engine][control]") {
  ScriptedNode scripted;
  scripted.transport.read_error = TUNNEL_ERR_CLOSED;
  scripted.node->start();
  CHECK(scripted.node->await_event(TUNNEL_EVENT_TRANSPORT).value == TUNNEL_ERR_CLOSED);
  int rebinds = 0;
  scripted.node->do_there([&](tunnel_core*) {
    rebinds = scripted.transport.rebinds;
    scripted.transport.read_error = 0;
  });
  CHECK(rebinds == 1);
  // The second attempt comes by itself, a second after the first.
  const auto was = scripted.node->counters().wakeups;
  scripted.node->do_there(
      [&](tunnel_core*) { scripted.transport.changes = TUNNEL_CHANGED_NETWORK; });
  CHECK(scripted.node->await_event(TUNNEL_EVENT_NETWORK).value == 0);
  CHECK(scripted.node->counters().wakeups > was);
}

TEST_CASE("a transport that cannot be opened anew ends the run", "[engine][control]") {
  ScriptedNode scripted;
  scripted.transport.ops.size = offsetof(tunnel_transport_ops, rebind);
  tunnel::test::CorePair pair({tunnel::test::scripted_remote(), tunnel::test::scripted_remote()});
  Node node(std::move(pair.cores[0]), scripted.device.table(), scripted.transport.table());
  scripted.transport.read_error = TUNNEL_ERR_CLOSED;
  node.start();
  CHECK(node.await_event(TUNNEL_EVENT_TRANSPORT).value == TUNNEL_ERR_CLOSED);
  CHECK(node.result() == TUNNEL_ERR_CLOSED);
}

TEST_CASE("other threads may command an engine while packets move", "[engine][control]") {
  UdpPair pair;
  pair.start();
  pair.ping(0);
  tunnel_engine* const engine = pair.a->engine();
  std::atomic<bool> done{false};
  auto commands = std::async(std::launch::async, [&] {
    tunnel_engine_counters counters = TUNNEL_ENGINE_COUNTERS_INIT;
    tunnel_event event = TUNNEL_EVENT_INIT;
    for (int i = 0; i < 100; ++i) {
      tunnel_engine_rebind(engine);
      tunnel_engine_notify(engine);
      tunnel_engine_get_counters(engine, &counters);
      while (tunnel_engine_next_event(engine, &event) == 1) {
      }
      if (i % 10 == 0) tunnel_engine_set_port(engine, 0);
      if (i % 20 == 0) tunnel_engine_suspend(engine);
      if (i % 20 == 1) tunnel_engine_resume(engine);
      pair.a->catch_up();
    }
    done = true;
  });
  // What is under way while sockets change may be lost, so nothing is expected back yet.
  for (std::uint32_t i = 1; !done; ++i) {
    pair.a->program->offer(inside_packet(1, 2, i));
    pair.b->program->offer(inside_packet(2, 1, i));
    pair.a->program->discard();
    pair.b->program->discard();
  }
  commands.get();
  outlast_flood_limit(*pair.b);
  tunnel_engine_rebind(engine);  // a handshake that is under way starts anew
  pair.a->program->send(inside_packet(1, 2, UINT32_MAX));
  while (tunnel::test::number_of(pair.b->program->receive()) != UINT32_MAX) {
  }
}

TEST_CASE("a burst of network changes is told twice: at once and at its end", "[engine][control]") {
  ScriptedNode scripted;
  scripted.node->start();
  for (int i = 0; i < 10; ++i) {
    scripted.node->do_there(
        [&](tunnel_core*) { scripted.transport.changes = TUNNEL_CHANGED_NETWORK; });
  }
  const auto first = scripted.node->await_event(TUNNEL_EVENT_NETWORK);
  const auto second = scripted.node->await_event(TUNNEL_EVENT_NETWORK);
  CHECK(second.mono_ns - first.mono_ns >= 250'000'000);
  scripted.node->catch_up();
  tunnel_event event = TUNNEL_EVENT_INIT;
  CHECK(tunnel_engine_next_event(scripted.node->engine(), &event) == 0);
}

TEST_CASE("the device's MTU reaches the core at start and with each network change",
          "[engine][control]") {
  ScriptedNode scripted;
  scripted.device.mtu = 9000;
  scripted.node->start();
  tunnel_layout layout = TUNNEL_LAYOUT_INIT;
  const auto ask = [&](tunnel_core* core) { tunnel_core_layout(core, &layout); };
  scripted.node->do_there(ask);
  scripted.node->do_there(ask);  // the first task runs before the start
  CHECK(layout.mtu == 9000);

  scripted.node->do_there([&](tunnel_core*) {
    scripted.device.mtu = 1280;
    scripted.transport.changes = TUNNEL_CHANGED_NETWORK;
  });
  CHECK(scripted.node->await_event(TUNNEL_EVENT_NETWORK).value == 0);
  scripted.node->do_there(ask);
  CHECK(layout.mtu == 1280);
}

TEST_CASE("network changes from before the start are no news", "[engine][control]") {
  ScriptedNode scripted;
  scripted.transport.changes = TUNNEL_CHANGED_NETWORK;
  scripted.node->start();
  for (int i = 0; i < 3; ++i) scripted.node->catch_up();
  tunnel_event event = TUNNEL_EVENT_INIT;
  CHECK(tunnel_engine_next_event(scripted.node->engine(), &event) == 0);
}
