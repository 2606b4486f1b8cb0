// daemon.cpp - a tunnel's life, in the order in which it happens.
//
//   read_config, plan     may refuse the file; nothing is changed so far, but what a daemon that
//                         died has left is undone in between
//   create_core           keys, peers, last known endpoints
//   open_interface, open_socket, create_engine: which adopts all three
//   open_control          refuses when a daemon of this name lives
//   start_resolver        names of endpoints, off the packet thread
//   apply_settings        addresses, MTU, routes, DNS; rolls itself back
//   start_engine          from here on packets move
//   run                   signals and events, until the end
//   stop                  everything undone, in reverse
#include "daemon.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "format.h"

namespace simplevpn {

Daemon::Daemon(const Target& target, const Output& output, Log& log)
    : path_(target.path),
      file_(target.plain_config.empty() ? std::filesystem::absolute(target.path).string() : ""),
      name_(target.name),
      plain_config_(target.plain_config),
      dns_backend_(target.dns_backend),
      routing_(target.routing),
      output_(output),
      log_(log),
      endpoints_(log, open_) {}

Daemon::~Daemon() {
  static_cast<void>(stop());
}

int Daemon::start() {
  int exit = read_config();
  // What a daemon that died has left would be taken for a part of the machine.
  if (exit == kOk) static_cast<void>(tunnel_settings_cleanup(nullptr, name_.c_str(), nullptr));
  if (exit == kOk) exit = plan();
  if (exit == kOk) exit = catch_signals();
  if (exit == kOk) exit = create_core();
  if (exit == kOk) exit = open_interface();
  if (exit == kOk && on_interface_) exit = on_interface_();
  if (exit == kOk) exit = open_socket();
  if (exit == kOk) exit = create_engine();
  if (exit == kOk) exit = open_control();
  if (exit == kOk) exit = start_resolver();
  if (exit == kOk) exit = apply_settings();
  if (exit != kOk) {
    static_cast<void>(stop());
    return exit;
  }
  report_up();
  config_.reset();
  start_engine();
  notify_.send("READY=1\nSTATUS=" + name_ + " is up");
  return kOk;
}

int Daemon::print_plan() {
  int exit = read_config();
  if (exit == kOk) exit = plan();
  if (exit == kOk) std::fputs(tunnel_settings_text(settings_.get()), stdout);
  return exit;
}

int Daemon::refuse(std::int32_t status, const std::string& doing, const std::string& hint) {
  Failure failure = status_failure(output_, status, doing, kActivation);
  if (!hint.empty() && status != TUNNEL_ERR_PERMISSION) failure.hint = hint;
  return fail(output_, failure);
}

// ---- the file ----

int Daemon::read_config() {
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  tunnel_config* config = nullptr;
  const std::int32_t status =
      plain_config_.empty()
          ? tunnel_config_read(path_.c_str(), &config, &issue)
          : tunnel_config_parse_plain(plain_config_.data(), plain_config_.size(), &config, &issue);
  if (status != TUNNEL_OK) return fail(output_, config_failure(output_, status, path_, issue));
  config_.reset(config);
  return kOk;
}

void Daemon::report_warnings() {
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  for (std::size_t i = 0; tunnel_config_warning(config_.get(), i, &issue) == TUNNEL_OK; ++i) {
    log_.write(Level::warning, "configuration",
               {{"file", path_}, {"line", issue.line}, {"message", issue.message}});
  }
}

int Daemon::plan() {
  endpoints_.learn(config_.get());
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  tunnel_settings* settings = nullptr;
  tunnel_settings_request request = routing_.request(endpoints_.uplink());
  request.dns_backend = dns_backend_;
  const std::int32_t status =
      tunnel_settings_plan_for(config_.get(), &request, name_.c_str(), &settings, &issue);
  if (status != TUNNEL_OK) return fail(output_, config_failure(output_, status, path_, issue));
  settings_.reset(settings);
  open_.add(config_.get());
  report_warnings();
  if (!plain_config_.empty()) {
    log_.write(Level::warning, "insecure_plain", {{"message", kPlainWarning}});
  }
  return kOk;
}

std::uint32_t Daemon::planned_mtu() const {
  tunnel_setting setting = TUNNEL_SETTING_INIT;
  for (std::size_t i = 0; tunnel_settings_get(settings_.get(), i, &setting) == TUNNEL_OK; ++i) {
    if (setting.kind == TUNNEL_SETTING_MTU) return setting.value;
  }
  return TUNNEL_MTU_DEFAULT;
}

// ---- the pieces ----

// Every thread inherits the mask, so that only run() ever sees these signals.
int Daemon::catch_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  signals_.reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  ended_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (signals_.get() >= 0 && ended_.get() >= 0) return kOk;
  return refuse(TUNNEL_ERR_RESOURCES, "watch for signals");
}

int Daemon::create_core() {
  tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  config.mtu = planned_mtu();
  if (!plain_config_.empty()) config.profile = TUNNEL_PROFILE_PLAIN;
  auto core = tunnel::Core::create(config);
  if (!core) return refuse(core.status(), "make the core");
  const std::int32_t status = tunnel_config_apply(config_.get(), core->get());
  if (status != TUNNEL_OK) return refuse(status, "set up the peers of " + path_);
  name_peers(*core);
  open_state(*core);
  core_ = *std::move(core);
  return kOk;
}

void Daemon::name_peers(const tunnel::Core& core) {
  std::uint64_t cursor = 0;
  while (const auto peer = core.next_peer(cursor)) {
    tunnel::PeerInfo info;
    if (core.get_peer(*peer, info) != TUNNEL_OK) continue;
    const std::string name = tunnel_config_peer_name(config_.get(), info.public_key);
    names_[*peer] = name.empty() ? public_key_text(info.public_key) : name;
  }
}

// Without it the tunnel works too; it only takes longer to find its peers after a restart.
void Daemon::open_state(tunnel::Core& core) {
  tunnel_state* state = nullptr;
  std::int32_t status = tunnel_state_open(nullptr, name_.c_str(), &state);
  state_.reset(state);
  if (status == TUNNEL_OK) status = tunnel_state_apply(state, core.get());
  if (status == TUNNEL_OK) return;
  log_.write(Level::warning, "no_endpoint_file", {{"reason", tunnel_status_text(status)}});
}

int Daemon::open_interface() {
  tunnel_tun_config config = TUNNEL_TUN_CONFIG_INIT;
  config.name = name_.c_str();
  auto device = tunnel::Device::tun(config);
  if (device) {
    device_ = *std::move(device);
    return kOk;
  }
  const bool taken = device.status() == TUNNEL_ERR_IN_USE;
  return refuse(device.status(), "make the interface " + name_,
                taken ? "is it running already? simplevpn down " + name_ : "");
}

int Daemon::open_socket() {
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  tunnel_config_get_interface(config_.get(), &interface);
  tunnel_udp_config config = TUNNEL_UDP_CONFIG_INIT;
  config.port = interface.port;
  config.mark = tunnel_settings_mark(settings_.get());
  auto transport = tunnel::Transport::udp(config);
  if (transport) {
    transport_ = *std::move(transport);
    return kOk;
  }
  const std::string port = std::to_string(interface.port);
  const bool taken = transport.status() == TUNNEL_ERR_IN_USE;
  return refuse(
      transport.status(), "open UDP port " + port,
      taken ? "choose another ListenPort; `ss -ulpn sport = :" + port + "` shows who has it" : "");
}

int Daemon::create_engine() {
  auto engine =
      tunnel::Engine::create(*std::move(core_), *std::move(device_), *std::move(transport_));
  if (!engine) return refuse(engine.status(), "make the engine");
  engine_ = *std::move(engine);
  return kOk;
}

int Daemon::open_control() {
  tunnel_control_config config = TUNNEL_CONTROL_CONFIG_INIT;
  config.name = name_.c_str();
  config.engine = engine_->get();
  config.config = config_.get();
  config.removed = on_removed;
  config.context = this;
  tunnel_control* control = nullptr;
  const std::int32_t status = tunnel_control_open(&config, &control);
  control_.reset(control);
  if (status == TUNNEL_OK) return kOk;
  return refuse(
      status, "open the control socket of " + name_,
      status == TUNNEL_ERR_IN_USE ? "it is running already: simplevpn down " + name_ : "");
}

void Daemon::on_removed(void* self) {
  auto* daemon = static_cast<Daemon*>(self);
  End none = End::none;
  daemon->end_.compare_exchange_strong(none, End::removed);
  daemon->engine_->stop();
}

int Daemon::apply_settings() {
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  std::int32_t status = tunnel_settings_open_journal(settings_.get(), nullptr, &fault);
  if (status == TUNNEL_OK) status = tunnel_settings_apply(settings_.get(), &fault);
  if (status == TUNNEL_OK) open_.follow(settings_.get());
  if (status == TUNNEL_OK) return kOk;
  Failure failure = status_failure(output_, status, "configure " + name_, kActivation);
  if (fault.message[0] != '\0') failure.message = "cannot set " + std::string(fault.message);
  return fail(output_, failure);
}

int Daemon::start_resolver() {
  const std::int32_t status = endpoints_.start(engine_->get(), config_.get());
  if (status != TUNNEL_OK) return refuse(status, "start the resolver");
  endpoints_.leave_system(settings_.get(), tunnel_settings_mark(settings_.get()));
  tunnel_control_follow(control_.get(), endpoints_.resolver(), state_.get());
  return kOk;
}

// ---- running ----

void Daemon::start_engine() {
  engine_thread_ = std::thread([this] {
    engine_result_ = engine_->run();
    eventfd_write(ended_.get(), 1);
  });
}

void Daemon::report_up() {
  tunnel_setting setting = TUNNEL_SETTING_INIT;
  for (std::size_t i = 0; tunnel_settings_get(settings_.get(), i, &setting) == TUNNEL_OK; ++i) {
    if (setting.kind == TUNNEL_SETTING_RESOLVER) {
      log_.write(Level::info, "names", {{"set_by", setting.text}});
    }
  }
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  tunnel_config_get_interface(config_.get(), &interface);
  log_.write(
      Level::info, "up",
      {{"listen_port", engine_->port()}, {"mtu", planned_mtu()}, {"peers", interface.peer_count}});
}

int Daemon::run() {
  for (;;) {
    pollfd waits[3] = {
        {signals_.get(), POLLIN, 0},
        {static_cast<int>(engine_->event_handle()), POLLIN, 0},
        {ended_.get(), POLLIN, 0},
    };
    if (poll(waits, 3, -1) < 0 && errno != EINTR) break;
    if (waits[0].revents != 0) take_signal();
    take_events();
    if (waits[2].revents != 0) break;
  }
  return exit_status(stop());
}

void Daemon::take_signal() {
  signalfd_siginfo info{};
  if (read(signals_.get(), &info, sizeof info) != sizeof info) return;
  if (info.ssi_signo == SIGHUP) return reload();
  if (on_signal_ && end_ == End::none) on_signal_();
  End none = End::none;
  end_.compare_exchange_strong(none, info.ssi_signo == SIGINT ? End::interrupted : End::terminated);
  engine_->stop();
}

void Daemon::take_events() {
  while (const auto event = engine_->next_event()) {
    log_event(log_, names_, *event);
    if (event->kind == TUNNEL_EVENT_DEVICE_LOST) lost_ = Lost::interface;
    if (event->kind == TUNNEL_EVENT_TRANSPORT) lost_ = Lost::transport;
    if (event->kind == TUNNEL_EVENT_ENDPOINT) open_.add(event->address);
    endpoints_.event(*event);
    if (state_ != nullptr) static_cast<void>(tunnel_state_event(state_.get(), &*event));
    if (control_ != nullptr) static_cast<void>(tunnel_control_event(control_.get(), &*event));
  }
}

// ---- the end ----

// Also what start() calls when it gives up half-way: each line does nothing when there is nothing.
int Daemon::stop() {
  if (engine_) engine_->stop();
  if (engine_thread_.joinable()) {
    notify_.send("STOPPING=1");
    engine_thread_.join();
    take_events();
    End none = End::none;
    end_.compare_exchange_strong(none, End::lost);
    log_.write(Level::info, "down");
  }
  if (control_ != nullptr) tunnel_control_follow(control_.get(), nullptr, nullptr);
  endpoints_.stop();
  open_.follow(nullptr);
  int exit = kOk;
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  if (settings_ != nullptr && tunnel_settings_undo(settings_.get(), &fault) != TUNNEL_OK) {
    log_.write(Level::error, "not_undone", {{"message", fault.message}});
    exit = kDeactivation;
  }
  settings_.reset();
  if (control_ != nullptr) tunnel_control_detach(control_.get());
  engine_.reset();
  core_.reset();
  device_.reset();
  transport_.reset();
  state_.reset();
  control_.reset();
  config_.reset();
  return exit;
}

int Daemon::exit_status(int undone) const {
  if (undone != kOk) return undone;
  if (end_ == End::interrupted) return kInterrupted;
  return end_ == End::lost ? fail(output_, loss()) : kOk;
}

// A transport that failed but could be opened anew ends nothing; what was lost last ended the run.
Failure Daemon::loss() const {
  const std::string reason = tunnel_status_text(engine_result_);
  if (engine_result_ != TUNNEL_ERR_CLOSED || lost_ == Lost::nothing) {
    return {.exit = kFailure,
            .code = "E_STOPPED",
            .message = "the tunnel " + name_ + " stopped by itself: " + reason,
            .hint = "start it anew"};
  }
  if (lost_ == Lost::transport) {
    return {.exit = kFailure,
            .code = "E_TRANSPORT_LOST",
            .message = "the UDP socket of " + name_ + " is gone: " + reason,
            .hint = "it could not be opened anew or waited for; start the tunnel anew"};
  }
  return {.exit = kFailure,
          .code = "E_INTERFACE_LOST",
          .message = "the interface " + name_ + " is gone: " + reason,
          .hint = "somebody deleted it (ip link del?); start the tunnel anew"};
}

}  // namespace simplevpn
