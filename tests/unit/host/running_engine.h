// running_engine.h — an engine on memory pairs, running on a thread of its own.
#pragma once

#include <tunnel/engine.h>
#include <tunnel/host/config.h>

#include <memory>
#include <string>
#include <thread>

#include "config_support.h"
#include "core_support.h"
#include "support/catch.hpp"

namespace tunnel::test {

class RunningEngine {
 public:
  // `udp` = on real sockets, on a port that the kernel chooses.
  explicit RunningEngine(const tunnel_config* config, bool udp = false) {
    CorePtr core = make_core();
    REQUIRE(tunnel_config_apply(config, core.get()) == TUNNEL_OK);
    tunnel_engine_config engine_config = TUNNEL_ENGINE_CONFIG_INIT;
    engine_config.core = core.get();
    const tunnel_pair_config pair_config = TUNNEL_PAIR_CONFIG_INIT;
    tunnel_device devices[2];
    tunnel_transport transports[2];
    REQUIRE(tunnel_device_pair(0, 1420, devices) == TUNNEL_OK);
    REQUIRE(tunnel_transport_pair(&pair_config, transports) == TUNNEL_OK);
    engine_config.device = devices[0];
    if (udp) use_udp(transports[0]);
    engine_config.transport = transports[0];
    other_device_ = devices[1];
    other_transport_ = transports[1];
    REQUIRE(tunnel_engine_create(&engine_config, &engine_) == TUNNEL_OK);
    (void)core.release();  // the engine's now
  }
  RunningEngine(const RunningEngine&) = delete;
  RunningEngine& operator=(const RunningEngine&) = delete;
  ~RunningEngine() {
    stop();
    (void)tunnel_engine_destroy(engine_);
    other_device_.ops->close(other_device_.self);
    other_transport_.ops->close(other_transport_.self);
  }

  tunnel_engine* get() const { return engine_; }
  void start() {
    thread_ = std::thread([this] { (void)tunnel_engine_run(engine_); });
  }
  // Waits until run() has ended.
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  void stop() {
    (void)tunnel_engine_stop(engine_);
    join();
  }

 private:
  static void use_udp(tunnel_transport& transport) {
    transport.ops->close(transport.self);
    const tunnel_udp_config config = TUNNEL_UDP_CONFIG_INIT;
    REQUIRE(tunnel_udp_open(&config, &transport) == TUNNEL_OK);
  }

  tunnel_engine* engine_ = nullptr;
  tunnel_device other_device_{};
  tunnel_transport other_transport_{};
  std::thread thread_;
};

}  // namespace tunnel::test
