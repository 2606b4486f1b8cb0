#include "host/settings/changes.h"

#include <net/if.h>

#include <cerrno>

#include "host/dns/dns.h"

namespace tunnel::host {
namespace {

bool is_gone(int error) noexcept {
  return error == ENODEV || error == ESRCH || error == EADDRNOTAVAIL || error == ENXIO ||
         error == ENOENT;
}

}  // namespace

base::Result<Tools> Tools::open(const std::string& interface_name) {
  auto netlink = Netlink::open();
  if (!netlink) return base::Error{netlink.status()};
  return Tools{std::move(*netlink), ::if_nametoindex(interface_name.c_str())};
}

Step settled(Tools& tools, Step step) {
  auto* rule = std::get_if<RuleStep>(&step);
  if (rule != nullptr && rule->priority == 0) {
    rule->priority = tools.netlink.next_priority(rule->family);
  }
  return step;
}

Look look(Tools& tools, const Step& step) {
  return std::visit([&](const auto& each) { return look_at(tools, each); }, step);
}

Answer take(Tools& tools, const Step& step, const std::string& before) {
  return std::visit([&](const auto& each) { return change(tools, each, before); }, step);
}

Answer undo(Tools& tools, const Step& step, const std::string& before) {
  const Answer answer =
      std::visit([&](const auto& each) { return restore(tools, each, before); }, step);
  return is_gone(answer.error) ? Answer{} : answer;
}

bool is_in_force(Tools& tools, const Step& step, const std::string& before) {
  if (std::holds_alternative<ResolverStep>(step)) return is_resolver_in_force(before);
  const Look found = look(tools, step);
  if (std::holds_alternative<SysctlStep>(step)) return found.answer.error == 0 && !found.needed;
  // What would be taken without complaint is not there.
  return found.answer.error != 0;
}

}  // namespace tunnel::host
