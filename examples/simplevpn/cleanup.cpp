// cleanup.cpp - `down --cleanup` and `unblock`: what daemons that are gone have left behind.
#include <tunnel/host/settings.h>

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

}  // namespace

int clean_up(const std::string& target, const Output& output) {
  const std::string name = target.empty() ? "" : tunnel_name(target);
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  const std::int32_t status =
      tunnel_settings_cleanup(nullptr, name.empty() ? nullptr : name.c_str(), &fault);
  return report(status, fault, name, output);
}

int unblock(const std::string& target, const Output& output) {
  const std::string name = target.empty() ? "" : tunnel_name(target);
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  const std::int32_t status =
      tunnel_settings_unblock(nullptr, name.empty() ? nullptr : name.c_str(), &fault);
  return report(status, fault, name, output);
}

}  // namespace simplevpn
