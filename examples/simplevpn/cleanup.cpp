// cleanup.cpp - `down --cleanup` and `unblock`: what daemons that are gone have left behind.
#include <tunnel/host/settings.h>
#include <tunnel/host/state.h>

#include <cstdlib>

#include "commands.h"
#include "target.h"

namespace simplevpn {
namespace {

int report(std::int32_t status, const tunnel_settings_fault& fault, const std::string& name,
           const Output& output) {
  if (status == TUNNEL_OK) return kOk;
  const std::string whose = name.empty() ? "dead tunnels" : name;
  Failure failure = status_failure(output, status, "undo what is left of " + whose, kDeactivation);
  if (fault.message[0] != '\0') failure.message = "cannot undo: " + std::string(fault.message);
  if (status != TUNNEL_ERR_IN_USE) return fail(output, failure);
  failure.message = name + " is running";
  failure.hint = "simplevpn down " + name;
  return fail(output, failure);
}

// systemd cleans up after each end of a service, also before it starts it anew; that start is to
// find the peers where they were.
bool is_after_service() {
  return std::getenv("SERVICE_RESULT") != nullptr;
}

}  // namespace

int forget_endpoints(const std::string& name, const Output& output) {
  const std::int32_t status = tunnel_state_remove(nullptr, name.empty() ? nullptr : name.c_str());
  if (status == TUNNEL_OK) return kOk;
  return fail(output, status_failure(output, status, "forget endpoints", kDeactivation));
}

int clean_up(const std::string& target, const Output& output) {
  const std::string name = target.empty() ? "" : tunnel_name(target);
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  const std::int32_t status =
      tunnel_settings_cleanup(nullptr, name.empty() ? nullptr : name.c_str(), &fault);
  const int exit = report(status, fault, name, output);
  return exit == kOk && !is_after_service() ? forget_endpoints(name, output) : exit;
}

int unblock(const std::string& target, const Output& output) {
  const std::string name = target.empty() ? "" : tunnel_name(target);
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  const std::int32_t status =
      tunnel_settings_unblock(nullptr, name.empty() ? nullptr : name.c_str(), &fault);
  return report(status, fault, name, output);
}

}  // namespace simplevpn
