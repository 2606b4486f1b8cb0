#include <memory>
#include <tunnel/tunnel.hpp>
#include <type_traits>

#include "support/catch.hpp"

using tunnel::Core;
using tunnel::Device;
using tunnel::Engine;
using tunnel::Transport;

static_assert(!std::is_copy_constructible_v<Engine> &&
              std::is_nothrow_move_constructible_v<Engine>);

namespace {

struct Parts {
  Core core = std::move(*Core::create());
  std::array<Device, 2> devices = std::move(*Device::pair(4, 1420));
  std::array<Transport, 2> transports = std::move(*Transport::pair());

  tunnel::Result<Engine> engine() {
    return Engine::create(std::move(core), std::move(devices[0]), std::move(transports[0]));
  }
};

}  // namespace

TEST_CASE("an engine adopts its parts when it is created", "[capi][hpp]") {
  Parts parts;
  const auto engine = parts.engine();
  REQUIRE(engine);
  CHECK(parts.core.get() == nullptr);
  CHECK(parts.devices[0].get().ops == nullptr);
  CHECK(parts.transports[0].get().ops == nullptr);
}

TEST_CASE("an engine that is not created leaves its parts alone", "[capi][hpp]") {
  Parts parts;
  const auto engine = Engine::create(std::move(parts.core), std::move(parts.devices[0]),
                                     Transport(tunnel_transport{}));
  CHECK_FALSE(engine);
  CHECK(engine.status() == TUNNEL_ERR_ARGUMENT);
  CHECK(parts.core.deadline() == TUNNEL_TIME_NEVER);  // NOLINT: that is the behaviour under test
  CHECK(parts.devices[0].mtu() == 1420);
}

TEST_CASE("tasks run on the engine's thread with its core", "[capi][hpp]") {
  Parts parts;
  auto* const core = parts.core.get();
  auto engine = parts.engine();
  REQUIRE(engine);
  int ran = 0;
  REQUIRE(engine->post([&](Core& borrowed) {
    ran += borrowed.get() == core;
    (void)engine->stop();
  }) == TUNNEL_OK);
  CHECK(engine->run() == TUNNEL_OK);
  CHECK(ran == 1);
  CHECK(engine->counters()->running == 0);
  CHECK_FALSE(engine->next_event());
}

TEST_CASE("a task that never runs is destroyed with the engine", "[capi][hpp]") {
  const auto witness = std::make_shared<int>(0);
  {
    Parts parts;
    auto engine = parts.engine();
    REQUIRE(engine);
    REQUIRE(engine->post([witness](Core&) { ++*witness; }) == TUNNEL_OK);
    CHECK(witness.use_count() == 2);
  }
  CHECK(witness.use_count() == 1);
  CHECK(*witness == 0);
}
