// routing_changes.cpp — routes and rules.
//
// One that is there already fails before it is journalled: it is another tunnel's, and the journal
// could not tell whose to remove.
#include <cerrno>
#include <utility>

#include "host/settings/changes.h"

namespace tunnel::host {

Look look_at(Tools& tools, const RouteStep& step) {
  bool found = false;
  Answer answer = tools.netlink.has_route(step, found);
  if (found) answer = {EEXIST, {}};
  return {std::move(answer)};
}

Answer change(Tools& tools, const RouteStep& step) {
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

Answer change(Tools& tools, const RuleStep& step) {
  return tools.netlink.add_rule(step);
}

Answer restore(Tools& tools, const RuleStep& step, const std::string&) {
  return tools.netlink.remove_rule(step);
}

}  // namespace tunnel::host
