// engine.cpp — creation, the loop, and what other threads may call.
//
//   loop: commands of other threads -> one round of the pump -> network changes, errors, events
//         -> wait, when the round found little
#include "engine/engine.h"

#include <algorithm>
#include <utility>

#include "engine/clock.h"

namespace tunnel::engine {

namespace {

constexpr std::uint32_t kBatchMost = 128;
constexpr std::uint32_t kBatchLeast = 16;  // smaller ones are only made when asked for
constexpr std::uint32_t kThreadsMost = 16;
constexpr std::uint32_t kKnownFlags = TUNNEL_ENGINE_NO_ICMP | TUNNEL_ENGINE_NO_INITIATE;

// The largest batch whose slabs take no more than a quarter of the budget.
std::size_t batch_within(const tunnel_engine_config& config, std::size_t batches,
                         const tunnel_layout& layout) noexcept {
  std::size_t batch = config.batch == 0 ? kBatchMost : config.batch;
  while (config.memory_budget != 0 && batch / 2 >= kBatchLeast &&
         Pump::memory_bytes(layout, batch, batches) > config.memory_budget / 4) {
    batch /= 2;
  }
  return batch;
}

// Of each direction: one to read into, one to write, and one for each thread that has a cipher.
std::size_t batches_for(std::uint32_t crypto_threads) noexcept {
  return crypto_threads == 0 ? 1 : std::size_t{crypto_threads} + 2;
}

// What is left of the budget is the core's.
std::int32_t limit_core(tunnel_core* core, std::uint64_t budget, std::uint64_t own) noexcept {
  if (budget == 0) return TUNNEL_OK;
  return own < budget ? tunnel_core_set_memory_limit(core, budget - own) : TUNNEL_ERR_MEMORY;
}

static_assert(std::atomic<bool>::is_always_lock_free, "stop() runs in signal handlers");

}  // namespace

// ---- creation ----

base::Result<Engine::Parts> Engine::read_config(const tunnel_engine_config& config) noexcept {
  const bool known = (config.flags & ~kKnownFlags) == 0 && config.crypto_threads <= kThreadsMost;
  if (config.core == nullptr || config.batch > kBatchMost || !known) {
    return base::Error{TUNNEL_ERR_ARGUMENT};
  }
  const auto device = read_table(config.device.ops, config.device.self);
  if (!device) return base::Error{device.status()};
  const auto transport = read_table(config.transport.ops, config.transport.self);
  if (!transport) return base::Error{transport.status()};
  tunnel_layout layout = TUNNEL_LAYOUT_INIT;
  const auto status = tunnel_core_layout(config.core, &layout);
  if (status != TUNNEL_OK) return base::Error{status};
  Parts parts{.core = config.core,
              .device = *device,
              .transport = *transport,
              .cipher = {},
              .batch = 0,
              .batches = batches_for(config.crypto_threads),
              .crypto_threads = config.crypto_threads,
              .flags = config.flags,
              .layout = layout};
  parts.batch = batch_within(config, parts.batches, layout);
  const auto known_cipher = tunnel_core_cipher(config.core, &parts.cipher);
  if (known_cipher != TUNNEL_OK) return base::Error{known_cipher};
  return parts;
}

std::size_t Engine::memory_bytes(const Parts& parts) noexcept {
  return sizeof(Engine) + EventQueue::kMemoryBytes +
         Pump::memory_bytes(parts.layout, parts.batch, parts.batches);
}

base::Result<std::unique_ptr<Engine>> Engine::create(const tunnel_engine_config& config) {
  const auto parts = read_config(config);
  if (!parts) return base::Error{parts.status()};
  auto waiter = Waiter::create();
  if (!waiter) return base::Error{waiter.status()};
  auto event_flag = base::WaitFlag::create(base::WaitFlag::Kind::readable);
  if (!event_flag) return base::Error{event_flag.status()};
  std::unique_ptr<CryptPool> pool;
  if (parts->crypto_threads != 0) {
    pool = CryptPool::create(parts->crypto_threads, 2 * parts->batches);
  }
  std::unique_ptr<Engine> engine(
      new Engine(*parts, std::move(pool), std::move(*waiter), std::move(*event_flag)));
  // Last, because an engine that was never made must not leave a limit behind.
  const auto limited = limit_core(config.core, config.memory_budget, memory_bytes(*parts));
  if (limited != TUNNEL_OK) return base::Error{limited};
  engine->adopted_ = true;
  return engine;
}

Engine::Engine(const Parts& parts, std::unique_ptr<CryptPool> pool, std::unique_ptr<Waiter> waiter,
               base::WaitFlag event_flag)
    : core_(parts.core),
      device_(parts.device),
      transport_(parts.transport),
      flags_(parts.flags),
      pool_(std::move(pool)),
      pump_({.core = parts.core,
             .cipher = parts.cipher,
             .device = parts.device,
             .transport = parts.transport,
             .batch = parts.batch,
             .answers = (parts.device.ops.flags & TUNNEL_DEVICE_LOCAL) != 0 &&
                        (parts.device.ops.flags & TUNNEL_DEVICE_ETHERNET) == 0 &&
                        (parts.flags & TUNNEL_ENGINE_NO_ICMP) == 0,
             .pool = pool_.get(),
             .batches = parts.batches},
            parts.layout, counts_),
      waiter_(std::move(waiter)),
      events_(std::move(event_flag)) {
  counts_.memory_bytes.add(memory_bytes(parts));
  refresh_port();
}

Engine::~Engine() {
  pump_.drop_sealed(read_clocks());
  pump_.settle(read_clocks());
  pool_.reset();    // wakes the waiter to its end
  waiter_.reset();  // lets go of handles before their owners close them
  if (adopted_) {
    device_.ops.close(device_.self);
    transport_.ops.close(transport_.self);
    tunnel_core_destroy(core_);
  }
  for (const Command& command : commands_.close()) {
    if (command.kind == Command::Kind::task) command.task(command.context, nullptr);
  }
}

bool Engine::retire() noexcept {
  return !running_.exchange(true);
}

// ---- the loop ----

std::int32_t Engine::run() {
  if (running_.exchange(true)) return TUNNEL_ERR_STATE;
  // Asio may throw when memory runs out; the engine must be fit to run again afterwards.
  struct Leave {
    explicit Leave(Engine& leaving) noexcept : engine(leaving) {}
    Leave(const Leave&) = delete;
    Leave& operator=(const Leave&) = delete;
    ~Leave() {
      engine.waiter_->forget(Waiter::Side::device);
      engine.waiter_->forget(Waiter::Side::transport);
      engine.running_.store(false);
    }
    Engine& engine;
  } leave(*this);
  return loop();
}

std::int32_t Engine::loop() {
  if (stop_.exchange(false)) return TUNNEL_OK;
  lost_ = false;
  run_commands();
  if (!suspended_) start(read_clocks());
  while (!stop_.exchange(false)) {
    if (commands_.waiting()) run_commands();
    const bool more = round(read_clocks());
    if (lost_) return TUNNEL_ERR_CLOSED;
    if (!more) wait_for_more();
  }
  return TUNNEL_OK;
}

// Whoever sets up an interface changes addresses and routes. Those changes are read first and are
// no news: with the start everything begins anyhow, and a second initiation right behind the first
// would be refused as a flood.
void Engine::start(const tunnel_time& now) noexcept {
  refresh_mtu();
  pump_.round(now);
  if (transport_.ops.changed != nullptr) transport_.ops.changed(transport_.self);
  if ((flags_ & TUNNEL_ENGINE_NO_INITIATE) != 0) return;
  // Fails only without a private key; then a later task sets one and initiates itself.
  [[maybe_unused]] const auto status = tunnel_core_initiate(core_, 0, &now);
}

bool Engine::round(const tunnel_time& now) {
  publish_core_events();
  if (suspended_) return false;
  if (transport_down_) recover_transport(now);
  if (transport_down_) return false;
  const bool more_outward = pump_.outward(ask(Waiter::Side::device), now);
  const bool more_inward = pump_.inward(ask(Waiter::Side::transport), read_clocks());
  const bool more = more_inward || more_outward || pump_.help();
  ask_again(Waiter::Side::device);
  ask_again(Waiter::Side::transport);
  if (const auto error = pump_.take_transport_error(); error != TUNNEL_OK) {
    transport_failed(error, now);
  }
  if (const auto error = pump_.take_device_error(); error != TUNNEL_OK) {
    lose(TUNNEL_EVENT_DEVICE_LOST, error, now);
  }
  check_network(now);
  publish_core_events();
  return more;
}

void Engine::wait_for_more() {
  watch_tables();
  if (lost_) return;
  if (pool_) pool_->watch(*waiter_);
  const bool waits = !pump_.ready();
  if (waits) waiter_->wait(deadline());
  if (pool_) pool_->unwatch();
  counts_.wakeups.add(1);
  for (const auto side : {Waiter::Side::device, Waiter::Side::transport}) {
    const bool listened = waits && listened_[static_cast<std::size_t>(side)];
    if (listened && !waiter_->fired(side)) ask(side) = Pump::Ask::no;
  }
}

void Engine::ask_again(Waiter::Side side) noexcept {
  if (ask(side) == Pump::Ask::no) ask(side) = Pump::Ask::once;
}

void Engine::watch_tables() {
  listened_ = {};
  if (suspended_ || transport_down_) {
    waiter_->forget(Waiter::Side::device);
    waiter_->forget(Waiter::Side::transport);
    return;
  }
  // An object that cannot be waited for would never be heard of again, so it counts as gone.
  auto status = watch(Waiter::Side::device, device_, pump_.reads_device());
  if (status < 0) return lose(TUNNEL_EVENT_DEVICE_LOST, status, read_clocks());
  status = watch(Waiter::Side::transport, transport_, pump_.reads_transport());
  if (status < 0) lose(TUNNEL_EVENT_TRANSPORT, status, read_clocks());
}

template <class Ops>
std::int32_t Engine::watch(Waiter::Side side, const Table<Ops>& table, bool reads) {
  std::array<tunnel_handle, Waiter::kHandlesMax> handles{};
  const std::int32_t count = table.ops.wait(table.self, handles.data(), handles.size());
  if (count < 0) return count;
  const auto wanted =
      std::span(handles).first(std::min(static_cast<std::size_t>(count), Waiter::kHandlesMax));
  const bool tells = std::ranges::any_of(
      wanted, [](const auto& handle) { return (handle.events & TUNNEL_READABLE) != 0; });
  ask(side) = tells ? Pump::Ask::once : Pump::Ask::to_the_end;
  listened_[static_cast<std::size_t>(side)] = tells && reads;
  for (auto& handle : wanted) {
    if (!reads) handle.events &= ~TUNNEL_READABLE;
  }
  return waiter_->watch(side, wanted);
}

std::uint64_t Engine::deadline() const noexcept {
  if (suspended_) return TUNNEL_TIME_NEVER;
  if (transport_down_) return recover_at_ns_;
  const std::uint64_t network = network_pending_ ? network_quiet_until_ns_ : TUNNEL_TIME_NEVER;
  return std::min(pump_.deadline(), network);
}

// ---- any thread ----

void Engine::stop() noexcept {
  stop_.store(true);
  waiter_->wake();
}

void Engine::notify() noexcept {
  waiter_->wake();
}

std::int32_t Engine::command(const Command& command) {
  if (!commands_.push(command)) return TUNNEL_ERR_STATE;
  waiter_->wake();
  return TUNNEL_OK;
}

std::int32_t Engine::post(tunnel_task task, void* context) {
  return command({.kind = Command::Kind::task, .task = task, .context = context});
}

std::int32_t Engine::suspend() {
  return command({.kind = Command::Kind::suspend});
}

std::int32_t Engine::resume() {
  return command({.kind = Command::Kind::resume});
}

std::int32_t Engine::rebind() {
  if (transport_.ops.rebind == nullptr) return TUNNEL_ERR_UNSUPPORTED;
  return command({.kind = Command::Kind::rebind});
}

std::int32_t Engine::set_port(std::uint16_t port) {
  if (transport_.ops.set_port == nullptr) return TUNNEL_ERR_UNSUPPORTED;
  return command({.kind = Command::Kind::port, .value = port});
}

std::int32_t Engine::set_offload(bool enable) {
  if (device_.ops.offload == nullptr && transport_.ops.offload == nullptr) {
    return TUNNEL_ERR_UNSUPPORTED;
  }
  return command({.kind = Command::Kind::offload, .value = enable ? 1u : 0u});
}

std::int32_t Engine::set_mark(std::uint32_t mark) {
  if (transport_.ops.mark == nullptr) return TUNNEL_ERR_UNSUPPORTED;
  return command({.kind = Command::Kind::mark, .value = mark});
}

void Engine::copy_counters(tunnel_engine_counters& counters) const noexcept {
  counters.running = running_.load(std::memory_order_relaxed) ? 1 : 0;
  counts_.copy_to(counters);
}

}  // namespace tunnel::engine
