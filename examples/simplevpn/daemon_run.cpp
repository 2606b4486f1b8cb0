// daemon_run.cpp - a tunnel that runs: signals, its control socket's file, and what the packet
// process says. That may be said by an attacker: it is logged, kept in tables of limited size, and
// lets datagrams to its endpoints through the block, but chooses no file and no setting.
#include <net/if.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <utility>

#include "background.h"
#include "daemon.h"
#include "format.h"
#include "trim.h"

namespace simplevpn {
namespace {

constexpr int kMostAtOnce = 64;        // messages, before signals are looked at again
constexpr std::int64_t kEndMs = 2000;  // for a packet process that was told to end

std::int64_t now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

int Daemon::run(int starter) {
  starter_.reset(starter);
  if (starter < 0) report_ready();
  trim_memory();
  while (!ended_ && packets_.lives()) {
    pollfd waits[5] = {
        {signals_.get(), POLLIN, 0},
        {packets_.handle(), POLLIN, 0},
        {static_cast<int>(tunnel_control_file_handle(control_file_.get())), POLLIN, 0},
        {following_.handle(), POLLIN, 0},
        {end_ == End::none ? starter_.get() : -1, POLLIN, 0},
    };
    const std::int64_t left =
        kill_at_ms_ < 0 ? -1 : std::max<std::int64_t>(kill_at_ms_ - now_ms(), 0);
    const int ready = poll(waits, 5, static_cast<int>(left));
    if (ready < 0 && errno != EINTR) break;
    // It does not end by itself, whatever it says meanwhile.
    if (kill_at_ms_ >= 0 && now_ms() >= kill_at_ms_) packets_.kill();
    if (waits[0].revents != 0) take_signal();
    if (waits[4].revents != 0) hear_starter();
    if (waits[2].revents != 0) look_at_control_file();
    if (waits[3].revents != 0) following_.look();
    if (waits[1].revents != 0) listen();
  }
  return exit_status(stop());
}

void Daemon::report_ready() {
  notify_.send("READY=1\nSTATUS=" + name_ + " is up");
}

// Whoever is gone was killed or interrupted: then the tunnel does not stay either.
void Daemon::hear_starter() {
  if (hear(starter_.get()) != kOk) return ask_packets_to_end(End::refused);
  report_ready();
  say(starter_.get(), kOk);
  starter_.reset(-1);
}

// ---- who may end it ----

void Daemon::take_signal() {
  signalfd_siginfo info{};
  if (read(signals_.get(), &info, sizeof info) != sizeof info) return;
  if (info.ssi_signo == SIGHUP) return reload();
  if (on_signal_ && end_ == End::none) on_signal_();
  ask_packets_to_end(info.ssi_signo == SIGINT ? End::interrupted : End::terminated);
}

void Daemon::look_at_control_file() {
  if (tunnel_control_file_check(control_file_.get()) == TUNNEL_ERR_NOT_FOUND) {
    ask_packets_to_end(End::removed);
  }
}

// The first reason counts.
void Daemon::ask_packets_to_end(End why) {
  if (end_ != End::none) return;
  end_ = why;
  kill_at_ms_ = now_ms() + kEndMs;
  packets_.tell(Word::stop);
}

// ---- what the packet process says ----

void Daemon::listen() {
  for (int i = 0; i < kMostAtOnce; ++i) {
    const auto message = packets_.hear();
    if (!message) break;
    take(*message);
  }
  settle();
}

// Before the packet process goes on, what it has said is part of the settings. That costs far more
// than saying it, so that it is done once for all that was said.
void Daemon::settle() {
  if (std::exchange(network_changed_, false)) refresh_servers();
  if (wanted_mark_) set_mark(*std::exchange(wanted_mark_, std::nullopt));
  if (wanted_port_) following_.set_port(*std::exchange(wanted_port_, std::nullopt));
  following_.settle();
  if (unsettled_ == 0) return;
  Message settled;
  settled.word = Word::settled;
  settled.number = std::exchange(unsettled_, 0);
  settled.value = tunnel_settings_mark(settings_.get());
  packets_.tell(settled);
}

// True when it was said. False when it takes longer, whatever else is said meanwhile, or the packet
// process is gone.
bool Daemon::hear_until(const bool& said, int timeout_ms) {
  const std::int64_t end = now_ms() + timeout_ms;
  while (!said && packets_.lives()) {
    const std::int64_t left = end - now_ms();
    if (left <= 0) return false;
    if (packets_.wait(static_cast<int>(left))) listen();
  }
  return said;
}

void Daemon::take(const Message& message) {
  if (message.number != 0) unsettled_ = message.number;
  switch (message.word) {
    case Word::ready:
      ready_words_ = message;
      ready_ = true;
      return;
    case Word::event:
      return take_event(message.event);
    case Word::resolved:
      return take_resolved(message);
    case Word::endpoint:
      return take_endpoint(message);
    case Word::mark:
      wanted_mark_ = static_cast<std::uint32_t>(message.value);
      return;
    case Word::port:
      wanted_port_ = static_cast<std::uint16_t>(message.value);
      return;
    case Word::ended:
      return take_end(message);
    case Word::released:
      released_ = true;
      return;
    default:
      return;
  }
}

void Daemon::take_event(const tunnel_event& event) {
  const bool device_lost = event.kind == TUNNEL_EVENT_DEVICE_LOST;
  if (device_lost && std::exchange(device_lost_, true)) return;  // an error is always logged
  log_event(log_, names_, event);
  if (device_lost) lost_ = Lost::interface;
  if (event.kind == TUNNEL_EVENT_TRANSPORT) lost_ = Lost::transport;
  if (event.kind == TUNNEL_EVENT_ENDPOINT) {
    following_.set_endpoint(event.public_key, event.address);
  }
  if (state_ != nullptr) static_cast<void>(tunnel_state_event(state_.get(), &event));
  if (event.kind == TUNNEL_EVENT_NETWORK) network_changed_ = true;
}

void Daemon::refresh_servers() {
  if (!takes_questions(settings_.get()) || !uplink_.refresh()) return;
  following_.set_resolvers(uplink_.list());
  tell_resolvers();
}

// Who answers for names outside the tunnel, and with which mark they are asked.
void Daemon::tell_resolvers() {
  Message ask;
  ask.word = Word::ask;
  ask.value = tunnel_settings_mark(settings_.get());
  ask.count = static_cast<std::uint32_t>(std::min(uplink_.list().size(), ask.addresses.size()));
  std::copy_n(uplink_.list().begin(), ask.count, ask.addresses.begin());
  packets_.tell(ask);
}

void Daemon::take_resolved(const Message& message) {
  const std::string peer = public_key_text(message.key.data());
  const char* host = message.name.data();
  if (message.count == 0) {
    return log_.write(Level::warning, "not_resolved",
                      {{"peer", peer}, {"host", host}, {"reason", message.reason.data()}});
  }
  following_.set_endpoint(message.key.data(), message.addresses[0]);
  log_.write(Level::info, "resolved",
             {{"peer", peer}, {"host", host}, {"endpoint", address_text(message.addresses[0])}});
}

// Set by hand, as `wg set` does it.
void Daemon::take_endpoint(const Message& message) {
  const tunnel_address* endpoint = message.count == 0 ? nullptr : message.addresses.data();
  if (endpoint != nullptr) {
    following_.set_endpoint(message.key.data(), *endpoint);
  } else {
    following_.remove_endpoint(message.key.data());
  }
  if (state_ == nullptr) return;
  static_cast<void>(tunnel_state_set(state_.get(), message.key.data(), endpoint));
}

// As `wg set` does it. The rules, the block and the questions for names have the same.
void Daemon::set_mark(std::uint32_t mark) {
  following_.set_mark(mark);
  if (takes_questions(settings_.get()) && !uplink_.list().empty()) tell_resolvers();
}

// A transport that failed but could be opened anew ended nothing, and may be the last thing that
// was heard: whether the interface is there is asked of the machine.
void Daemon::take_end(const Message& message) {
  engine_result_ = static_cast<std::int32_t>(message.value);
  if (if_nametoindex(name_.c_str()) == 0) lost_ = Lost::interface;
  ended_ = true;
}

}  // namespace simplevpn
