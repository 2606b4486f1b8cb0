// control.cpp — the engine's thread between two batches: commands, network changes, errors, events.
#include <utility>

#include "engine/clock.h"
#include "engine/engine.h"

namespace tunnel::engine {

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

// A change of addresses comes as a burst of notices. The first is acted upon at once, those within
// this time after it together at its end.
constexpr std::uint64_t kNetworkQuietNs = kSecond / 4;
// Pause between attempts to open a broken transport anew.
constexpr std::uint64_t kRecoverPauseNs = kSecond;
// A sender that never pauses must not keep us from changing sockets.
constexpr int kLastRounds = 64;

}  // namespace

// ---- commands ----

void Engine::run_commands() {
  commands_.take(taken_);
  for (const Command& command : taken_) run_command(command);
  taken_.clear();
}

void Engine::run_command(const Command& command) {
  const tunnel_time now = read_clocks();
  switch (command.kind) {
    case Command::Kind::task:
      return command.task(command.context, core_);
    case Command::Kind::suspend:
      return suspend_now();
    case Command::Kind::resume:
      return resume_now(now);
    case Command::Kind::rebind:
      return rebind_now(now);
    case Command::Kind::port:
      return set_port_now(static_cast<std::uint16_t>(command.value), now);
    case Command::Kind::offload:
      return set_offload_now(command.value != 0, now);
    case Command::Kind::mark:
      if (const auto status = transport_.ops.mark(transport_.self, command.value); status < 0) {
        publish(TUNNEL_EVENT_TRANSPORT, status, now);
      }
  }
}

// What was sealed under the sessions goes with them: nothing is sent under a key that is forgotten.
void Engine::suspend_now() noexcept {
  suspended_ = true;
  const tunnel_time now = read_clocks();
  pump_.drop_sealed(now);
  pump_.settle(now);
  [[maybe_unused]] const auto status = tunnel_core_forget_sessions(core_);
}

void Engine::resume_now(const tunnel_time& now) noexcept {
  if (!std::exchange(suspended_, false)) return;
  network_changed(now);
  [[maybe_unused]] const auto status = tunnel_core_initiate(core_, 0, &now);
}

// What has arrived at the sockets is lost with them, so it is read first.
void Engine::leave_sockets(const tunnel_time& now) noexcept {
  for (int i = 0; i < kLastRounds && !suspended_ && !transport_down_; ++i) {
    if (!pump_.round(now)) break;
  }
  if (!suspended_ && !transport_down_) pump_.settle(now);
  // Sockets that are broken are about to be replaced. A lost device shows again at its next read.
  [[maybe_unused]] const auto transport_error = pump_.take_transport_error();
  [[maybe_unused]] const auto device_error = pump_.take_device_error();
  waiter_->forget(Waiter::Side::transport);
}

void Engine::rebind_now(const tunnel_time& now) noexcept {
  leave_sockets(now);
  const auto status = transport_.ops.rebind(transport_.self);
  if (status < 0) return publish(TUNNEL_EVENT_TRANSPORT, status, now);
  transport_down_ = false;
  refresh_port();
  tell_peers(now);
}

void Engine::set_port_now(std::uint16_t port, const tunnel_time& now) noexcept {
  leave_sockets(now);
  const auto status = transport_.ops.set_port(transport_.self, port);
  if (status < 0) return publish(TUNNEL_EVENT_TRANSPORT, status, now);
  refresh_port();
  tell_peers(now);
}

// A side that has none goes on as it is.
void Engine::set_offload_now(bool enable, const tunnel_time& now) noexcept {
  const std::uint32_t value = enable ? 1 : 0;
  if (device_.ops.offload != nullptr) {
    // UNSUPPORTED where the kernel has none.
    [[maybe_unused]] const auto status = device_.ops.offload(device_.self, value);
  }
  if (transport_.ops.offload == nullptr) return;
  const auto status = transport_.ops.offload(transport_.self, value);
  if (status < 0 && status != TUNNEL_ERR_UNSUPPORTED) publish(TUNNEL_EVENT_TRANSPORT, status, now);
}

void Engine::refresh_port() noexcept {
  const bool known = transport_.ops.port != nullptr;
  port_.store(known ? transport_.ops.port(transport_.self) : TUNNEL_ERR_UNSUPPORTED,
              std::memory_order_relaxed);
}

// ---- network changes ----

// Peers learn where we are from the next authentic datagram, so one is sent at once.
void Engine::tell_peers(const tunnel_time& now) noexcept {
  [[maybe_unused]] const auto status = tunnel_core_network_changed(core_, &now);
}

void Engine::check_network(const tunnel_time& now) noexcept {
  if (transport_.ops.changed != nullptr) {
    const auto changes = transport_.ops.changed(transport_.self);
    if ((changes & TUNNEL_CHANGED_NETWORK) != 0) network_pending_ = true;
  }
  if (network_pending_ && now.mono_ns >= network_quiet_until_ns_) network_changed(now);
}

void Engine::network_changed(const tunnel_time& now) noexcept {
  network_pending_ = false;
  network_quiet_until_ns_ = now.mono_ns + kNetworkQuietNs;
  refresh_mtu();
  tell_peers(now);
  publish(TUNNEL_EVENT_NETWORK, 0, now);
}

// The device's MTU counts, unless the core was told to pad nothing (an MTU of 0).
void Engine::refresh_mtu() noexcept {
  if (device_.ops.mtu == nullptr) return;
  const std::int32_t mtu = device_.ops.mtu(device_.self);
  tunnel_layout layout = TUNNEL_LAYOUT_INIT;
  if (mtu < 0 || tunnel_core_layout(core_, &layout) != TUNNEL_OK || layout.mtu == 0) return;
  if (layout.mtu == static_cast<std::uint32_t>(mtu)) return;
  if (tunnel_core_set_mtu(core_, static_cast<std::uint32_t>(mtu)) != TUNNEL_OK) return;
  if (tunnel_core_layout(core_, &layout) == TUNNEL_OK) pump_.set_layout(layout);
}

// ---- errors ----

void Engine::lose(std::uint32_t event, std::int32_t error, const tunnel_time& now) noexcept {
  lost_ = true;
  publish(event, error, now);
}

void Engine::transport_failed(std::int32_t error, const tunnel_time& now) noexcept {
  if (transport_.ops.rebind == nullptr) return lose(TUNNEL_EVENT_TRANSPORT, error, now);
  publish(TUNNEL_EVENT_TRANSPORT, error, now);
  // The first attempt comes at once, unless the last one was just made and did not help.
  transport_down_ = true;
  recover_transport(now);
}

void Engine::recover_transport(const tunnel_time& now) noexcept {
  if (now.mono_ns < recover_at_ns_) return;
  recover_at_ns_ = now.mono_ns + kRecoverPauseNs;
  waiter_->forget(Waiter::Side::transport);
  if (transport_.ops.rebind(transport_.self) < 0) return;
  transport_down_ = false;
  refresh_port();
  tell_peers(now);
}

// ---- events ----

void Engine::publish(std::uint32_t kind, std::int64_t value, const tunnel_time& now) noexcept {
  tunnel_event event = TUNNEL_EVENT_INIT;
  event.kind = kind;
  event.value = value;
  event.mono_ns = now.mono_ns;
  events_.push(event);
}

void Engine::publish_core_events() noexcept {
  tunnel_event event = TUNNEL_EVENT_INIT;
  while (tunnel_core_next_event(core_, &event) == 1) events_.push(event);
}

}  // namespace tunnel::engine
