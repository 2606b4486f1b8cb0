// netlink_rules.cpp — rules: which packet is routed by which table.
#include <linux/fib_rules.h>
#include <tunnel/host/settings.h>

#include <cerrno>

#include "host/settings/netlink.h"
#include "host/settings/netlink_message.h"

namespace tunnel::host {
namespace {

constexpr std::uint32_t kAllBits = 0xffffffff;

void put_rule(Message& message, const RuleStep& rule) {
  auto& header = message.extra<fib_rule_hdr>();
  header.family = system_family(rule.family);
  header.action = FR_ACT_TO_TBL;
  header.flags = rule.not_mark ? FIB_RULE_INVERT : 0;
  header.dst_len = rule.to ? rule.to->length : 0;
  message.number(FRA_TABLE, rule.table);
  message.number(FRA_PRIORITY, rule.priority);
  message.byte(FRA_PROTOCOL, TUNNEL_SETTINGS_PROTOCOL);
  if (rule.to) message.address(FRA_DST, *rule.to);
  if (rule.mark) {
    message.number(FRA_FWMARK, *rule.mark);
    message.number(FRA_FWMASK, kAllBits);
  }
  if (rule.suppress_prefixlength) {
    message.number(FRA_SUPPRESS_PREFIXLEN, *rule.suppress_prefixlength);
  }
}

// What the kernel sends of any rule, ours too.
bool is_usual(std::uint16_t type) noexcept {
  switch (type) {
    case FRA_DST:
    case FRA_PRIORITY:
    case FRA_FWMARK:
    case FRA_FWMASK:
    case FRA_TABLE:
    case FRA_SUPPRESS_PREFIXLEN:
    case FRA_PROTOCOL:
    case FRA_PAD:
      return true;
    default:
      return false;
  }
}

// Nothing when the rule is not one that we make.
std::optional<RuleStep> own_rule(const nlmsghdr* message) {
  const auto* header = static_cast<const fib_rule_hdr*>(mnl_nlmsg_get_payload(message));
  const Attributes<FRA_MAX> attributes(message, sizeof(fib_rule_hdr));
  for (std::uint16_t type = 0; type <= FRA_MAX; ++type) {
    if (attributes[type] != nullptr && !is_usual(type)) return {};  // selects more than we do
  }
  const nlattr* protocol = attributes[FRA_PROTOCOL];
  const bool ours = protocol != nullptr && mnl_attr_get_u8(protocol) == TUNNEL_SETTINGS_PROTOCOL;
  if (!ours || header->action != FR_ACT_TO_TBL || header->src_len != 0) return {};
  RuleStep rule{our_family(header->family), attributes.number(FRA_PRIORITY, 0),
                attributes.number(FRA_TABLE, header->table)};
  if (header->dst_len != 0) {
    rule.to = tunnel_prefix{rule.family, header->dst_len, 0, 0, {}};
    copy_bytes(attributes[FRA_DST], *rule.to);
  }
  const std::uint32_t mask = attributes.number(FRA_FWMASK, 0);
  if (mask != 0 && mask != kAllBits) return {};
  if (mask != 0) rule.mark = attributes.number(FRA_FWMARK, 0);
  rule.not_mark = (header->flags & FIB_RULE_INVERT) != 0;
  const std::uint32_t shortest = attributes.number(FRA_SUPPRESS_PREFIXLEN, kAllBits);
  if (shortest != kAllBits) rule.suppress_prefixlength = shortest;
  return rule;
}

}  // namespace

Answer Netlink::each_rule(std::uint8_t family, const Each& each) {
  Message message(RTM_GETRULE, NLM_F_DUMP);
  message.extra<fib_rule_hdr>().family = system_family(family);
  return ask(message.header(), each);
}

Answer Netlink::own_rules(std::vector<RuleStep>& rules) {
  Answer answer;
  for (const std::uint8_t family : kFamilies) {
    if (answer.error != 0) return answer;
    answer = each_rule(family, [&](const nlmsghdr* each) {
      if (auto rule = own_rule(each)) rules.push_back(*rule);
    });
  }
  return answer;
}

Answer Netlink::has_rule(const RuleStep& rule, bool& found) {
  found = false;
  return each_rule(rule.family, [&](const nlmsghdr* each) {
    const auto one = own_rule(each);
    found = found || (one && same_step(*one, rule));
  });
}

std::uint32_t Netlink::next_priority(std::uint8_t family) {
  std::size_t count = 0;
  std::uint32_t second = 0;
  (void)each_rule(family, [&](const nlmsghdr* each) {
    if (++count != 2) return;
    second = Attributes<FRA_MAX>(each, sizeof(fib_rule_hdr)).number(FRA_PRIORITY, 0);
  });
  return second == 0 ? 0 : second - 1;
}

Answer Netlink::add_rule(const RuleStep& rule) {
  if (rule.not_mark && (rule.to || !rule.mark)) {
    return {EINVAL, "the kernel inverts a rule as a whole"};
  }
  Message message(RTM_NEWRULE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
  put_rule(message, rule);
  return ask(message.header());
}

// The kernel deletes the first rule that has what the request names, inverted or not, and whatever
// else it selects; so we look first whether the very rule is there.
Answer Netlink::remove_rule(const RuleStep& rule) {
  bool found = false;
  const Answer asked = has_rule(rule, found);
  if (asked.error != 0) return asked;
  if (!found) return {ESRCH, {}};
  Message message(RTM_DELRULE, NLM_F_ACK);
  put_rule(message, rule);
  return ask(message.header());
}

}  // namespace tunnel::host
