// without.cpp — a machine on which a tunnel runs, seen as if it did not.
#include <algorithm>

#include "host/routing/plan.h"

namespace tunnel::host {
namespace {

bool is_made_by(const RouteStep& step, const Route& route) noexcept {
  return route.table == step.table && route.device == step.device &&
         same_network(route.prefix, step.prefix);
}

// A value that somebody has changed since is his, and part of the machine.
void take_back(const SysctlStep& step, const std::string& before, Machine& machine) {
  const auto found = machine.sysctls.find(step.name);
  if (found != machine.sysctls.end() && found->second == step.value) found->second = before;
}

}  // namespace

Machine without(Machine machine, const std::string& tunnel, const std::vector<TakenStep>& taken) {
  std::erase_if(machine.routes, [&](const Route& route) { return route.device == tunnel; });
  std::erase_if(machine.addresses, [&](const LinkAddress& each) { return each.link == tunnel; });
  for (const TakenStep& each : taken) {
    if (const auto* route = std::get_if<RouteStep>(&each.step)) {
      // Those through the tunnel are gone already, and there may be very many.
      if (route->device == tunnel) continue;
      std::erase_if(machine.routes, [&](const Route& one) { return is_made_by(*route, one); });
    }
    if (const auto* setting = std::get_if<SysctlStep>(&each.step)) {
      take_back(*setting, each.before, machine);
    }
  }
  return machine;
}

}  // namespace tunnel::host
