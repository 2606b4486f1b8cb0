// tun.cpp - `tun`: a bare interface, as wireguard-go makes it. No addresses, no keys, no peers: all
// of that comes through the control socket, from `wg`, `wg-quick` or a script.
//
// It goes to the background once the socket listens. It ends with a signal, when its socket is
// deleted, or with its interface.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include <tunnel/tunnel.hpp>

#include "background.h"
#include "commands.h"
#include "events.h"
#include "handles.h"
#include "trim.h"

namespace simplevpn {
namespace {

// ---- what the environment says, in the words of wireguard-go ----

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Level lowest_level(const Tun& options) {
  if (options.verbose) return Level::debug;
  const std::string level = environment("LOG_LEVEL");
  if (level == "verbose" || level == "debug") return Level::debug;
  return level == "silent" ? Level::silent : Level::error;
}

// A descriptor that somebody gave us, -1 = none.
int inherited(const char* name) {
  const std::string text = environment(name);
  int handle = -1;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, handle);
  return error == std::errc{} && stop == end && handle >= 0 ? handle : -1;
}

bool is_interface_name(const std::string& name) {
  char known[16];
  return tunnel_config_tunnel_name((name + ".conf").c_str(), known) == TUNNEL_OK && name == known;
}

// ---- the daemon ----

class BareTunnel {
 public:
  BareTunnel(const Tun& options, const Output& output, Log& log)
      : name_(options.name), data_path_(options.data_path), output_(output), log_(log) {}
  ~BareTunnel() { stop(); }

  // Until the socket listens and packets move. 0, or the exit status of a reported failure.
  [[nodiscard]] int start();
  // Until the end, which is no failure.
  [[nodiscard]] int run();

 private:
  int catch_signals();
  int create_engine();
  int open_control();
  int refuse(std::int32_t status, const std::string& doing);
  void take_events();
  void stop();

  const std::string name_;
  const DataPath data_path_;
  const Output& output_;
  Log& log_;
  const PeerNames names_;  // of nobody: events name peers by key
  std::optional<tunnel::Engine> engine_;
  ControlHandle control_;
  Descriptor signals_;
  Descriptor ended_;  // readable when the engine's run() has returned
  std::thread engine_thread_;
};

int BareTunnel::refuse(std::int32_t status, const std::string& doing) {
  return fail(output_, status_failure(output_, status, doing, kActivation));
}

int BareTunnel::start() {
  int exit = catch_signals();
  if (exit == kOk) exit = create_engine();
  if (exit == kOk) exit = open_control();
  if (exit != kOk) return exit;
  engine_thread_ = std::thread([this] {
    static_cast<void>(engine_->run());
    eventfd_write(ended_.get(), 1);
  });
  log_.write(Level::info, "up");
  return kOk;
}

// Every thread inherits the mask, so that only run() ever sees these signals.
int BareTunnel::catch_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);  // there is no file to read anew
  signals_.reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  ended_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (signals_.get() >= 0 && ended_.get() >= 0) return kOk;
  return refuse(TUNNEL_ERR_RESOURCES, "watch for signals");
}

int BareTunnel::create_engine() {
  tunnel_tun_config config = TUNNEL_TUN_CONFIG_INIT;
  config.name = name_.c_str();
  config.handle = inherited("WG_TUN_FD");
  config.take_handle = config.handle >= 0 ? 1 : 0;
  data_path_.choose(config);
  auto device = tunnel::Device::tun(config);
  if (!device) return refuse(device.status(), "make the interface " + name_);
  tunnel_core_config core_config = TUNNEL_CORE_CONFIG_INIT;
  const std::int32_t chosen = data_path_.choose(core_config);
  if (chosen != TUNNEL_OK) return refuse(chosen, "use the cipher " + data_path_.cipher);
  auto core = tunnel::Core::create(core_config);
  if (!core) return refuse(core.status(), "make the core");
  tunnel_udp_config udp = TUNNEL_UDP_CONFIG_INIT;
  data_path_.choose(udp);
  auto transport = tunnel::Transport::udp(udp);
  if (!transport) return refuse(transport.status(), "open a UDP port");
  auto engine = tunnel::Engine::create(*std::move(core), *std::move(device), *std::move(transport),
                                       data_path_.engine());
  if (!engine) return refuse(engine.status(), "make the engine");
  engine_ = *std::move(engine);
  return kOk;
}

int BareTunnel::open_control() {
  tunnel_control_config config = TUNNEL_CONTROL_CONFIG_INIT;
  config.name = name_.c_str();
  config.engine = engine_->get();
  config.removed = [](void* engine) { static_cast<tunnel::Engine*>(engine)->stop(); };
  config.context = &*engine_;
  config.listener = inherited("WG_UAPI_FD");
  config.take_listener = config.listener >= 0 ? 1 : 0;
  tunnel_control* control = nullptr;
  const std::int32_t status = tunnel_control_open(&config, &control);
  control_.reset(control);
  return status == TUNNEL_OK
             ? kOk
             : refuse(status, "make the control socket /run/wireguard/" + name_ + ".sock");
}

int BareTunnel::run() {
  trim_memory();
  for (;;) {
    pollfd waits[3] = {
        {signals_.get(), POLLIN, 0},
        {static_cast<int>(engine_->event_handle()), POLLIN, 0},
        {ended_.get(), POLLIN, 0},
    };
    if (poll(waits, 3, -1) < 0 && errno != EINTR) break;
    if (waits[0].revents != 0) engine_->stop();
    take_events();
    if (waits[2].revents != 0 || waits[0].revents != 0) break;
  }
  stop();
  return kOk;
}

void BareTunnel::take_events() {
  while (const auto event = engine_->next_event()) {
    log_event(log_, names_, *event);
    static_cast<void>(tunnel_control_event(control_.get(), &*event));
  }
}

// Also after a start that gave up half-way. Whoever waits for our end sees the socket close last.
void BareTunnel::stop() {
  if (engine_) engine_->stop();
  if (engine_thread_.joinable()) {
    engine_thread_.join();
    log_.write(Level::info, "down");
  }
  if (control_ != nullptr) tunnel_control_detach(control_.get());
  engine_.reset();
  control_.reset();
}

// ---- foreground and background ----

int run_foreground(const Tun& options, const Output& output) {
  Log log(options.name, options.json_log, lowest_level(options));
  BareTunnel tunnel(options, output, log);
  const int exit = tunnel.start();
  return exit == kOk ? tunnel.run() : exit;
}

int run_child(const Tun& options, const Output& output, int parent) {
  Log log(options.name, options.json_log, lowest_level(options));
  BareTunnel tunnel(options, output, log);
  const int exit = tunnel.start();
  if (!say_started(exit, log, parent)) return kInterrupted;
  close(parent);
  return exit == kOk ? tunnel.run() : exit;
}

int run_background(const Tun& options, const Output& output) {
  Halves halves;
  halves.child = [&](int parent) { return run_child(options, output, parent); };
  halves.parent = [](pid_t, int other) -> std::optional<int> { return hear(other); };
  return simplevpn::run_background(options.name, output, halves);
}

}  // namespace

int tun(const Tun& options, const Output& output) {
  if (!is_interface_name(options.name)) {
    return fail(output, usage_failure("'" + options.name + "' cannot be the name of an interface",
                                      "1-15 of the characters a-z A-Z 0-9 _ = + . -"));
  }
  const bool foreground = options.foreground || environment("WG_PROCESS_FOREGROUND") == "1";
  return foreground ? run_foreground(options, output) : run_background(options, output);
}

}  // namespace simplevpn
