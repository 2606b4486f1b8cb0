// routing_changes.cpp — routes and rules.
//
// One that is there already fails before it is journalled: it is another tunnel's, and the journal
// could not tell whose to remove.
#include <net/if.h>

#include <cerrno>
#include <utility>

#include "host/settings/changes.h"

namespace tunnel::host {
namespace {

bool is_own_link(const Tools& tools, const std::string& device) {
  return tools.index != 0 && ::if_nametoindex(device.c_str()) == tools.index;
}

}  // namespace

// Routes of the tunnel's own interface are in no journal, and the kernel refuses one that is there:
// there may be thousands, and each look reads a whole table.
Look look_at(Tools& tools, const RouteStep& step) {
  if (!step.unreachable && is_own_link(tools, step.device)) return {};
  bool found = false;
  Answer answer = tools.netlink.has_route(step, found);
  if (found) answer = {EEXIST, {}};
  return {std::move(answer)};
}

Answer change(Tools& tools, const RouteStep& step, const std::string&) {
  return tools.netlink.add_route(step);
}

Answer restore(Tools& tools, const RouteStep& step, const std::string&) {
  return tools.netlink.remove_route(step);
}

Look look_at(Tools& tools, const RuleStep& step) {
  bool found = false;
  Answer answer = tools.netlink.has_rule(step, found);
  if (found) answer = {EEXIST, {}};
  return {std::move(answer)};
}

Answer change(Tools& tools, const RuleStep& step, const std::string&) {
  return tools.netlink.add_rule(step);
}

Answer restore(Tools& tools, const RuleStep& step, const std::string&) {
  return tools.netlink.remove_rule(step);
}

}  // namespace tunnel::host
