#include <tunnel/host/control.h>

#include "commands.h"
#include "target.h"

namespace simplevpn {
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
  const int exit = result == TUNNEL_ERR_ARGUMENT ? kUsage : kFailure;
  Failure failure = status_failure(output, result, "stop " + name, exit);
  if (result == TUNNEL_ERR_TIMEOUT) {
    failure.exit = kDeactivation;
    failure.hint = "its daemon was told to end but still lives";
  }
  return fail(output, failure);
}

}  // namespace simplevpn
