// engine.h — door of the room `engine`: runs a core on a device and a transport.
//
// One thread at a time is inside run(); everything that touches core, device or transport happens
// on it. Other threads only leave commands in a queue, raise a flag, or read counters and events.
#pragma once

#include <tunnel/engine.h>

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "base/base.h"
#include "engine/commands.h"
#include "engine/counts.h"
#include "engine/events.h"
#include "engine/pump.h"
#include "engine/tables.h"
#include "engine/waiter.h"

namespace tunnel::engine {

class Engine {
 public:
  // Adopts core, device and transport when it succeeds, and only then. May throw std::bad_alloc and
  // what Asio throws; then too the caller still owns them.
  static base::Result<std::unique_ptr<Engine>> create(const tunnel_engine_config& config);
  // Closes device and transport, destroys the core, gives back the tasks that never ran.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // See tunnel_engine_run().
  std::int32_t run();
  // Makes every later run() fail. False while run() is under way.
  [[nodiscard]] bool retire() noexcept;

  // ---- any thread ----
  void stop() noexcept;  // also a signal handler
  void notify() noexcept;
  std::int32_t post(tunnel_task task, void* context);
  std::int32_t suspend();
  std::int32_t resume();
  std::int32_t rebind();
  std::int32_t set_port(std::uint16_t port);
  std::int32_t set_mark(std::uint32_t mark);
  std::int32_t set_offload(bool enable);
  std::int32_t port() const noexcept { return port_.load(std::memory_order_relaxed); }
  bool next_event(tunnel_event& event) noexcept { return events_.pop(event); }
  std::int64_t event_handle() const noexcept { return events_.handle(); }
  void copy_counters(tunnel_engine_counters& counters) const noexcept;

 private:
  struct Parts {
    tunnel_core* core;
    Device device;
    Transport transport;
    tunnel_cipher cipher;
    std::size_t batch;
    std::size_t batches;
    std::uint32_t crypto_threads;
    std::uint32_t flags;
    tunnel_layout layout;
  };
  Engine(const Parts& parts, std::unique_ptr<CryptPool> pool, std::unique_ptr<Waiter> waiter,
         base::WaitFlag event_flag);
  static base::Result<Parts> read_config(const tunnel_engine_config& config) noexcept;
  static std::size_t memory_bytes(const Parts& parts) noexcept;

  // engine.cpp: the loop
  std::int32_t loop();
  void start(const tunnel_time& now) noexcept;
  bool round(const tunnel_time& now);
  void wait_for_more();
  template <class Ops>
  std::int32_t watch(Waiter::Side side, const Table<Ops>& table, bool reads);
  void watch_tables();
  Pump::Ask& ask(Waiter::Side side) noexcept { return asks_[static_cast<std::size_t>(side)]; }
  void ask_again(Waiter::Side side) noexcept;
  std::uint64_t deadline() const noexcept;

  // control.cpp: everything but packets
  std::int32_t command(const Command& command);
  void run_commands();
  void run_command(const Command& command);
  void suspend_now() noexcept;
  void resume_now(const tunnel_time& now) noexcept;
  void leave_sockets(const tunnel_time& now) noexcept;
  void rebind_now(const tunnel_time& now) noexcept;
  void set_port_now(std::uint16_t port, const tunnel_time& now) noexcept;
  void set_offload_now(bool enable, const tunnel_time& now) noexcept;
  void tell_peers(const tunnel_time& now) noexcept;
  void check_network(const tunnel_time& now) noexcept;
  void network_changed(const tunnel_time& now) noexcept;
  void refresh_mtu() noexcept;
  void transport_failed(std::int32_t error, const tunnel_time& now) noexcept;
  void recover_transport(const tunnel_time& now) noexcept;
  void lose(std::uint32_t event, std::int32_t error, const tunnel_time& now) noexcept;
  void refresh_port() noexcept;
  void publish(std::uint32_t kind, std::int64_t value, const tunnel_time& now) noexcept;
  void publish_core_events() noexcept;

  bool adopted_ = false;  // core, device and transport are ours to close: create() has succeeded
  tunnel_core* core_;
  Device device_;
  Transport transport_;
  std::uint32_t flags_;
  Counts counts_;
  std::unique_ptr<CryptPool> pool_;  // null: the cipher runs on the engine's thread
  Pump pump_;
  std::unique_ptr<Waiter> waiter_;
  EventQueue events_;
  CommandQueue commands_;
  std::vector<Command> taken_;  // commands under way; a member so that its memory is kept

  std::atomic<bool> running_{false};
  std::atomic<bool> stop_{false};
  std::atomic<std::int32_t> port_{0};

  // Only the thread in run().
  //
  // How the next round reads device and transport. To the end when a side has no handle that would
  // tell of more; not at all when it was listened to and said nothing.
  std::array<Pump::Ask, 2> asks_{Pump::Ask::to_the_end, Pump::Ask::to_the_end};
  std::array<bool, 2> listened_{};  // the last wait was also for something to read from it
  bool suspended_ = false;
  bool lost_ = false;            // device or transport are gone for good
  bool transport_down_ = false;  // waits to be opened anew
  std::uint64_t recover_at_ns_ = 0;
  bool network_pending_ = false;  // a change came too soon after the last one
  std::uint64_t network_quiet_until_ns_ = 0;
};

}  // namespace tunnel::engine
