// daemon.cpp - how a tunnel comes up, in the order in which it happens.
//
//   read_config, plan     may refuse the file; nothing is changed so far, but what a daemon that
//                         died has left is undone in between
//   open_journal          refuses when a daemon of this name lives
//   create_core           keys, peers, last known endpoints
//   open_interface, open_socket, make_control_file
//   split                 the packet process takes all of these and gives up root
//   wait_until_ready      it answers on the control socket and has looked names up
//   apply_settings        addresses, MTU, routes, DNS; rolls itself back
//   start                 from here on packets move; PostUp may refuse
//   run                   daemon_run.cpp: signals and events, until the end
//   stop                  daemon_end.cpp: everything undone, in reverse
#include "daemon.h"

#include <netinet/in.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "confine.h"
#include "format.h"
#include "in_force.h"
#include "packet_process.h"
#include "plan_json.h"

namespace simplevpn {
namespace {

constexpr int kReadyMs = 15'000;  // names of endpoints may take three seconds of that

}  // namespace

Daemon::Daemon(const Target& target, const Output& output, Log& log)
    : path_(target.path),
      file_(target.plain_config.empty() ? std::filesystem::absolute(target.path).string() : ""),
      name_(target.name),
      plain_config_(target.plain_config),
      dns_backend_(target.dns_backend),
      routing_(target.routing),
      data_path_(target.data_path),
      output_(output),
      log_(log),
      following_(log, [this](const tunnel_event& event) {
        Message message;
        message.word = Word::announce;
        message.event = event;
        packets_.tell(message);
      }) {}

Daemon::~Daemon() {
  static_cast<void>(stop());
}

int Daemon::start() {
  int exit = read_config();
  // What a daemon that died has left would be taken for a part of the machine.
  if (exit == kOk) static_cast<void>(tunnel_settings_cleanup(nullptr, name_.c_str(), nullptr));
  had_block_ = read_in_force(name_).kill_switch;
  if (exit == kOk) exit = plan();
  if (exit == kOk) exit = catch_signals();
  if (exit == kOk) exit = open_journal();
  if (exit == kOk) exit = create_core();
  inherited_ = open_descriptors();
  if (exit == kOk) exit = open_interface();
  if (exit == kOk && on_interface_) exit = on_interface_();
  if (exit == kOk) exit = open_socket();
  if (exit == kOk) exit = make_control_file();
  if (exit == kOk) exit = split();
  if (exit == kOk) exit = wait_until_ready();
  if (exit == kOk) exit = apply_settings();
  if (exit != kOk) {
    static_cast<void>(stop());
    return exit;
  }
  listen();  // what is known of peers by now is let through before the first datagram
  report_up();
  config_.reset();
  running_ = true;
  packets_.tell(Word::start);
  return kOk;
}

int Daemon::print_plan() {
  int exit = read_config();
  if (exit == kOk) exit = plan();
  if (exit != kOk) return exit;
  const std::string text =
      output_.json ? plan_json(settings_.get(), name_) : tunnel_settings_text(settings_.get());
  return std::fputs(text.c_str(), stdout) < 0 ? kFailure : kOk;
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
  uplink_.learn(config_.get());
  if (const int exit = make_plan(0); exit != kOk) return exit;
  report_warnings();
  if (!plain_config_.empty()) {
    log_.write(Level::warning, "insecure_plain", {{"message", kPlainWarning}});
  }
  return kOk;
}

// `port`: of the socket, 0 = that of the file.
int Daemon::make_plan(std::uint16_t port) {
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  tunnel_settings* settings = nullptr;
  tunnel_settings_request request = routing_.request(uplink_.list());
  request.dns_backend = dns_backend_;
  request.port = port;
  const std::int32_t status =
      tunnel_settings_plan_for(config_.get(), &request, name_.c_str(), &settings, &issue);
  if (status == TUNNEL_ERR_NOT_FOUND) return refuse_interface(issue);
  if (status != TUNNEL_OK) return fail(output_, config_failure(output_, status, path_, issue));
  settings_.reset(settings);
  return kOk;
}

// One that --nat or --share names.
int Daemon::refuse_interface(const tunnel_config_issue& issue) {
  return fail(output_, {.exit = kUsage,
                        .code = "E_NOT_FOUND",
                        .message = issue.message,
                        .hint = "ip link shows which there are"});
}

std::uint32_t Daemon::planned_mtu() const {
  tunnel_setting setting = TUNNEL_SETTING_INIT;
  for (std::size_t i = 0; tunnel_settings_get(settings_.get(), i, &setting) == TUNNEL_OK; ++i) {
    if (setting.kind == TUNNEL_SETTING_MTU) return setting.value;
  }
  return TUNNEL_MTU_DEFAULT;
}

// ---- the pieces ----

// The packet process inherits the mask: only run() ever sees these signals, wherever they are sent.
int Daemon::catch_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);  // a caller may have left it ignored, and then there is no status
  signals_.reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (signals_.get() >= 0) return kOk;
  return refuse(TUNNEL_ERR_RESOURCES, "watch for signals");
}

// Before anything is made that a clean-up would have to find.
int Daemon::open_journal() {
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  const std::int32_t status = tunnel_settings_open_journal(settings_.get(), nullptr, &fault);
  if (status == TUNNEL_OK) return kOk;
  if (status != TUNNEL_ERR_IN_USE) return refuse_settings(status, fault);
  return refuse(status, "start " + name_, "it is running already: simplevpn down " + name_);
}

int Daemon::create_core() {
  tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  config.mtu = planned_mtu();
  if (!plain_config_.empty()) config.profile = TUNNEL_PROFILE_PLAIN;
  if (const std::int32_t status = data_path_.choose(config); status != TUNNEL_OK) {
    return refuse(status, "use the cipher " + data_path_.cipher, "simplevpn ciphers lists them");
  }
  auto core = tunnel::Core::create(config);
  if (!core) return refuse(core.status(), "make the core");
  const std::int32_t status = tunnel_config_apply(config_.get(), core->get());
  if (status != TUNNEL_OK) return refuse(status, "set up the peers of " + path_);
  names_ = peer_names(config_.get());
  open_state(*core);
  learn_peers(*core);
  core_ = *std::move(core);
  return kOk;
}

// Where they are: as the file says, or where they were last.
void Daemon::learn_peers(const tunnel::Core& core) {
  std::uint64_t cursor = 0;
  while (const auto peer = core.next_peer(cursor)) {
    tunnel::PeerInfo info;
    if (core.get_peer(*peer, info) != TUNNEL_OK) continue;
    following_.set_endpoint(info.public_key, info.endpoint);
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
  data_path_.choose(config);
  auto device = tunnel::Device::tun(config);
  if (device) {
    device_ = *std::move(device);
    return kOk;
  }
  const bool taken = device.status() == TUNNEL_ERR_IN_USE;
  return refuse(device.status(), "make the interface " + name_,
                taken ? "is it running already? simplevpn down " + name_ : "");
}

std::uint16_t Daemon::planned_port() const {
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  tunnel_config_get_interface(config_.get(), &interface);
  return interface.port;
}

int Daemon::open_socket() {
  tunnel_udp_config config = TUNNEL_UDP_CONFIG_INIT;
  config.port = planned_port();
  config.mark = tunnel_settings_mark(settings_.get());
  data_path_.choose(config);
  auto transport = tunnel::Transport::udp(config);
  if (transport) {
    transport_ = *std::move(transport);
    // A server's plan keeps the port from its clients, and only now it is known.
    const std::int32_t chosen = config.port == 0 && routing_.server ? transport_->port() : 0;
    return chosen <= 0 ? kOk : make_plan(static_cast<std::uint16_t>(chosen));
  }
  const std::string port = std::to_string(config.port);
  const bool taken = transport.status() == TUNNEL_ERR_IN_USE;
  return refuse(
      transport.status(), "open UDP port " + port,
      taken ? "choose another ListenPort; `ss -ulpn sport = :" + port + "` shows who has it" : "");
}

int Daemon::make_control_file() {
  tunnel_control_file* file = nullptr;
  const std::int32_t status = tunnel_control_file_create(nullptr, name_.c_str(), &file);
  control_file_.reset(file);
  if (status == TUNNEL_OK) return kOk;
  return refuse(
      status, "make the control socket /run/wireguard/" + name_ + ".sock",
      status == TUNNEL_ERR_IN_USE ? "it is running already: simplevpn down " + name_ : "");
}

// ---- the packet process ----

int Daemon::split() {
  inherited_.push_back(static_cast<int>(tunnel_control_file_handle(control_file_.get())));
  const std::int32_t status = packets_.start(
      inherited_,
      [this, daemon = getpid()](const Channel& channel) { return run_packets(channel, daemon); });
  core_.reset();
  device_.reset();
  transport_.reset();
  return status == TUNNEL_OK ? kOk : refuse(status, "make the packet process");
}

// In the child. Whatever else of ours is in its memory stays unused.
int Daemon::run_packets(const Channel& channel, pid_t daemon) {
  const std::uint16_t port = planned_port();  // while the configuration is still ours
  PacketParts parts{.name = name_,
                    .core = *std::move(core_),
                    .device = *std::move(device_),
                    .transport = *std::move(transport_),
                    .config = std::move(config_),
                    .listener = static_cast<int>(tunnel_control_file_listener(control_file_.get())),
                    .resolvers = uplink_.list(),
                    .engine = data_path_.engine(),
                    .mark = tunnel_settings_mark(settings_.get()),
                    .asks_itself = takes_questions(settings_.get()),
                    .binds_low_port = port != 0 && port < IPPORT_RESERVED,
                    .daemon = daemon};
  return PacketProcess(std::move(parts), channel, output_).run();
}

// Whatever it could not do it has reported itself.
int Daemon::wait_until_ready() {
  if (hear_until(ready_, kReadyMs)) return kOk;
  const bool hangs = packets_.lives();
  if (hangs) packets_.kill();
  const int exit = packets_.exit_status();
  if (exit == kActivation || exit == kPermission) return exit;
  return fail(output_, {.exit = kActivation,
                        .code = "E_DIED",
                        .message = "the packet process of " + name_ +
                                   (hangs ? " does not become ready"
                                          : " ended: " + packets_.how_it_ended())});
}

int Daemon::apply_settings() {
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  const std::int32_t status = tunnel_settings_apply(settings_.get(), &fault);
  if (status != TUNNEL_OK) return refuse_settings(status, fault);
  following_.begin(settings_.get());
  return kOk;
}

int Daemon::refuse_settings(std::int32_t status, const tunnel_settings_fault& fault) {
  Failure failure = status_failure(output_, status, "configure " + name_, kActivation);
  if (fault.message[0] != '\0') {
    failure.message = "cannot configure " + name_ + ": " + std::string(fault.message);
  }
  return fail(output_, failure);
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
  log_.write(Level::info, "up",
             {{"listen_port", ready_words_.value},
              {"mtu", planned_mtu()},
              {"peers", interface.peer_count},
              {"packets_pid", packets_.pid()},
              {"packets_user", ready_words_.name.data()}});
}

}  // namespace simplevpn
