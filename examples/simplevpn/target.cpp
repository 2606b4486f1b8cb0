#include "target.h"

#include <unistd.h>

#include <cerrno>

#include "handles.h"

namespace simplevpn {
namespace {

bool is_file(const std::string& argument) {
  return argument.find('/') != std::string::npos || argument.ends_with(".conf");
}

}  // namespace

std::optional<Failure> find_target(const std::string& argument, Target& target) {
  const bool bare = !is_file(argument);
  target.path = bare ? "/etc/wireguard/" + argument + ".conf" : argument;
  char name[16];
  if (tunnel_config_tunnel_name(target.path.c_str(), name) != TUNNEL_OK) {
    return usage_failure(argument + " cannot give an interface its name",
                         "NAME.conf with up to 15 of the characters a-z A-Z 0-9 _ = + . -");
  }
  target.name = name;
  if (bare && access(target.path.c_str(), F_OK) != 0 && errno == ENOENT) {
    return Failure{.exit = kNoSuch,
                   .code = "E_NO_SUCH_TUNNEL",
                   .message = "there is no " + target.path,
                   .hint = "simplevpn init server|client writes a configuration"};
  }
  return {};
}

std::optional<Failure> find_running(const std::string& argument, Target& target) {
  tunnel_snapshot* read = nullptr;
  if (!is_file(argument)) {
    (void)tunnel_snapshot_read(nullptr, argument.c_str(), TUNNEL_CONTROL_TIMEOUT_MS, &read);
  }
  const SnapshotHandle snapshot(read);
  tunnel_snapshot_interface interface = TUNNEL_SNAPSHOT_INTERFACE_INIT;
  const bool known = tunnel_snapshot_get_interface(snapshot.get(), &interface) == TUNNEL_OK &&
                     interface.file[0] == '/';
  if (!known) return find_target(argument, target);
  target.path = interface.file;
  target.name = argument;
  return {};
}

Failure not_running(const std::string& name) {
  return {.exit = kNotRunning,
          .code = "E_NOT_RUNNING",
          .message = name + " is not running",
          .hint = "simplevpn status shows what is"};
}

std::string tunnel_name(const std::string& argument) {
  char name[16];
  if (!is_file(argument) || tunnel_config_tunnel_name(argument.c_str(), name) != TUNNEL_OK) {
    return argument;
  }
  return name;
}

}  // namespace simplevpn
