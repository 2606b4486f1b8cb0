// reload.cpp - `reload`, and SIGHUP in the daemon: a running tunnel gets what its file says about
// keys, port, mark and peers. Only differences are set, so sessions stay.
#include <tunnel/host/control.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "config_read.h"
#include "daemon.h"

namespace simplevpn {
namespace {

std::optional<Failure> sync(const Target& target, const tunnel_config* config,
                            const Output& output) {
  const std::int32_t status =
      tunnel_control_sync(nullptr, target.name.c_str(), config, TUNNEL_CONTROL_TIMEOUT_MS);
  if (status == TUNNEL_OK) return {};
  if (status == TUNNEL_ERR_NOT_FOUND) return not_running(target.name);
  Failure failure = status_failure(output, status, "reload " + target.name, kFailure);
  if (status == TUNNEL_ERR_IN_USE) failure.hint = "another program has the ListenPort of the file";
  return failure;
}

// A process id comes from the packet process and may be any: only one of ours gets a signal.
bool is_ours(std::uint32_t process) {
  const auto name_of = [](const std::string& process_name) {
    std::ifstream file("/proc/" + process_name + "/comm");
    std::string name;
    std::getline(file, name);
    return name;
  };
  return process != 0 && name_of(std::to_string(process)) == name_of("self");
}

// Routes are the daemon's own: it reads the file itself, if it is the one that it was started from.
void ask_for_routes(const Target& target) {
  tunnel_snapshot* found = nullptr;
  const std::int32_t status =
      tunnel_snapshot_read(nullptr, target.name.c_str(), TUNNEL_CONTROL_TIMEOUT_MS, &found);
  const SnapshotHandle snapshot(found);
  tunnel_snapshot_interface daemon = TUNNEL_SNAPSHOT_INTERFACE_INIT;
  if (status != TUNNEL_OK || tunnel_snapshot_get_interface(found, &daemon) != TUNNEL_OK) return;
  std::error_code error;
  if (daemon.file[0] == '\0' || !std::filesystem::equivalent(daemon.file, target.path, error)) {
    return;
  }
  if (is_ours(daemon.process)) ::kill(static_cast<pid_t>(daemon.process), SIGHUP);
}

}  // namespace

int reload(const std::string& file, const Output& output) {
  Target target;
  ConfigHandle config;
  auto failure = find_running(file, target);
  if (!failure) failure = read_config(target.path, output, config);
  if (!failure) failure = sync(target, config.get(), output);
  if (failure) return fail(output, *failure);
  ask_for_routes(target);
  advise(output, target.name + " has the keys and peers of " + target.path);
  return kOk;
}

// A file that is wrong changes nothing, and the tunnel goes on as it was.
void Daemon::reload() {
  notify_.reloading();
  ConfigHandle config;
  const Target target{.path = file_, .name = name_, .plain_config = {}};
  auto failure = file_.empty() ? std::optional(Failure{.message = "a plain tunnel has no file"})
                               : simplevpn::read_config(file_, output_, config);
  if (!failure) failure = sync(target, config.get(), output_);
  if (failure) {
    log_.write(Level::error, "not_reloaded", {{"reason", failure->message}});
  } else {
    log_.write(Level::info, "reloaded", {{"file", file_}});
    names_ = peer_names(config.get());
    following_.set_peers(config.get());
    Message message;
    message.word = Word::announce;
    message.event.kind = TUNNEL_EVENT_RELOADED;
    packets_.tell(message);
  }
  notify_.send("READY=1");
}

}  // namespace simplevpn
