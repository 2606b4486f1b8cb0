// present.cpp — is what we did still there?
#include <cerrno>

#include "host/settings/changes.h"

namespace tunnel::host {
namespace {

bool is_listed(const Step& step) noexcept {
  return std::holds_alternative<AddressStep>(step) || std::holds_alternative<RouteStep>(step) ||
         std::holds_alternative<RuleStep>(step);
}

}  // namespace

std::string sight(Tools& tools, const Step& step) {
  const auto* table = std::get_if<TableStep>(&step);
  std::string text;
  if (table != nullptr && tools.nft) (void)tools.nft->list_table(table_text(*table), text);
  return text;
}

Answer Present::read(Tools& tools) {
  std::vector<RouteStep> routes;
  std::vector<RuleStep> rules;
  std::vector<AddressStep> addresses;
  Answer answer = tools.netlink.own_routes(routes);
  if (answer.error == 0) answer = tools.netlink.own_rules(rules);
  if (answer.error == 0) answer = tools.netlink.addresses(tools.index, addresses);
  for (const auto& each : routes) steps_.insert(step_json(each));
  for (const auto& each : rules) steps_.insert(step_json(each));
  for (const auto& each : addresses) steps_.insert(step_json(each));
  return answer;
}

// Whoever sets another MTU, or other name servers, means it.
bool Present::has(Tools& tools, const Step& step, const std::string& seen) const {
  if (std::holds_alternative<MtuStep>(step) || std::holds_alternative<ResolverStep>(step)) {
    return true;
  }
  if (is_listed(step)) return steps_.count(step_json(step)) != 0;
  const Look now = look(tools, step);
  if (std::holds_alternative<TableStep>(step)) {
    return now.answer.error == EEXIST && sight(tools, step) == seen;
  }
  if (std::holds_alternative<ForeignRuleStep>(step)) return now.answer.error == EEXIST;
  return now.answer.error == 0 && !now.needed;
}

Answer swap_steps(Tools& tools, const Step& now, const Step& wanted) {
  const auto* before = std::get_if<RouteStep>(&now);
  const auto* after = std::get_if<RouteStep>(&wanted);
  if (before == nullptr || after == nullptr) return take(tools, wanted, {});
  bool found = false;
  const Answer answer = tools.netlink.has_route(*before, found);
  if (answer.error != 0) return answer;
  // Whatever else has taken the place meanwhile is not ours to replace.
  return found ? tools.netlink.replace_route(*after) : tools.netlink.add_route(*after);
}

}  // namespace tunnel::host
