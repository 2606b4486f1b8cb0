// tunnel/cpp/engine.hpp - owns an engine.
#ifndef TUNNEL_CPP_ENGINE_HPP
#define TUNNEL_CPP_ENGINE_HPP

#include <tunnel/engine.h>
#include <tunnel/cpp/carrier.hpp>
#include <tunnel/cpp/core.hpp>

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <utility>

namespace tunnel {

struct EngineOptions {
  std::uint32_t flags = 0;  // TUNNEL_ENGINE_
  std::uint32_t batch = 0;  // packets per read, 0 = 128
  std::uint32_t crypto_threads = 0;
  std::uint64_t memory_budget = 0;  // bytes of engine and core, 0 = no bound
};

// Runs a core on a device and a transport, on the thread that calls run(). Must not die while run()
// is under way: stop() it and join that thread first.
class Engine {
 public:
  // Owns `engine` from now on.
  explicit Engine(tunnel_engine* engine) noexcept : engine_(engine) {}

  // Adopts all three when it succeeds; when it fails they are the caller's still, untouched.
  static Result<Engine> create(Core&& core, Device&& device, Transport&& transport,
                               EngineOptions options = {}) noexcept {
    auto config = sized<tunnel_engine_config>();
    config.flags = options.flags;
    config.batch = options.batch;
    config.crypto_threads = options.crypto_threads;
    config.memory_budget = options.memory_budget;
    config.core = core.get();
    config.device = device.get();
    config.transport = transport.get();
    tunnel_engine* engine = nullptr;
    const auto status = tunnel_engine_create(&config, &engine);
    if (status == TUNNEL_OK) {
      (void)core.release();
      (void)device.release();
      (void)transport.release();
    }
    return {status, Engine(engine)};
  }

  tunnel_engine* get() const noexcept { return engine_.get(); }

  std::int32_t run() noexcept { return tunnel_engine_run(get()); }
  std::int32_t stop() noexcept { return tunnel_engine_stop(get()); }
  std::int32_t notify() noexcept { return tunnel_engine_notify(get()); }
  std::int32_t suspend() noexcept { return tunnel_engine_suspend(get()); }
  std::int32_t resume() noexcept { return tunnel_engine_resume(get()); }
  std::int32_t rebind() noexcept { return tunnel_engine_rebind(get()); }
  std::int32_t port() noexcept { return tunnel_engine_port(get()); }
  std::int32_t set_port(std::uint16_t port) noexcept { return tunnel_engine_set_port(get(), port); }
  std::int32_t set_offload(bool enable) noexcept {
    return tunnel_engine_set_offload(get(), enable ? 1 : 0);
  }
  std::int32_t set_mark(std::uint32_t mark) noexcept { return tunnel_engine_set_mark(get(), mark); }

  // Runs `task(Core&)` on the engine's thread. A task that never runs is destroyed. It must not
  // throw: there is C below it.
  template <class Task>
  std::int32_t post(Task task) noexcept {
    auto owned = std::unique_ptr<Task>(new (std::nothrow) Task(std::move(task)));
    if (!owned) return TUNNEL_ERR_MEMORY;
    const auto status = tunnel_engine_post(get(), &Engine::run_task<Task>, owned.get());
    if (status == TUNNEL_OK) (void)owned.release();
    return status;
  }

  std::optional<tunnel_event> next_event() noexcept {
    auto event = sized<tunnel_event>();
    if (tunnel_engine_next_event(get(), &event) != 1) return std::nullopt;
    return event;
  }
  // Readable while events wait; the engine's.
  std::int64_t event_handle() const noexcept { return tunnel_engine_event_handle(get()); }
  Result<tunnel_engine_counters> counters() const noexcept {
    auto counters = sized<tunnel_engine_counters>();
    const auto status = tunnel_engine_get_counters(get(), &counters);
    return {status, counters};
  }

 private:
  template <class Task>
  static void run_task(void* context, tunnel_core* core) noexcept {
    const std::unique_ptr<Task> task(static_cast<Task*>(context));
    if (core == nullptr) return;
    Core borrowed(core);
    (*task)(borrowed);
    (void)borrowed.release();
  }
  struct Destroy {
    void operator()(tunnel_engine* engine) const noexcept { (void)tunnel_engine_destroy(engine); }
  };
  std::unique_ptr<tunnel_engine, Destroy> engine_;
};

}  // namespace tunnel

#endif
