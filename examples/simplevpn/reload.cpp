// reload.cpp - `reload`, and SIGHUP in the daemon: a running tunnel gets what its file says about
// keys, port, mark and peers. Only differences are set, so sessions stay.
#include <tunnel/host/control.h>

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

}  // namespace

int reload(const std::string& file, const Output& output) {
  Target target;
  ConfigHandle config;
  auto failure = find_running(file, target);
  if (!failure) failure = read_config(target.path, output, config);
  if (!failure) failure = sync(target, config.get(), output);
  if (failure) return fail(output, *failure);
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
