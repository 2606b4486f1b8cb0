#include <tunnel/host/control.h>

#include "commands.h"

namespace simplevpn {
namespace {

// `down FILE` means the tunnel of that file, as with wg-quick.
std::string tunnel_name(const std::string& target) {
  char name[16];
  const bool is_file = target.find('/') != std::string::npos || target.ends_with(".conf");
  if (!is_file || tunnel_config_tunnel_name(target.c_str(), name) != TUNNEL_OK) return target;
  return name;
}

}  // namespace

int down(const std::string& target, const Output& output) {
  const std::string name = tunnel_name(target);
  const std::int32_t result = tunnel_control_stop(nullptr, name.c_str(), TUNNEL_CONTROL_TIMEOUT_MS);
  if (result == TUNNEL_OK) {
    advise(output, name + " is down");
    return kOk;
  }
  if (result == TUNNEL_ERR_NOT_FOUND) {
    return fail(output, {.exit = kNotRunning,
                         .code = "E_NOT_RUNNING",
                         .message = name + " is not running",
                         .hint = "simplevpn status shows what is"});
  }
  Failure failure = status_failure(output, result, "stop " + name, kFailure);
  if (result == TUNNEL_ERR_TIMEOUT) {
    failure.exit = kDeactivation;
    failure.hint = "its daemon was told to end but still lives";
  }
  return fail(output, failure);
}

}  // namespace simplevpn
