// chains.cpp — who else decides about forwarded packets: base chains of the packet filter.
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <algorithm>
#include <string_view>

#include "host/machine/dump.h"
#include "host/machine/reader.h"

namespace tunnel::host {
namespace {

constexpr std::string_view kOwnTables = "ltun";
constexpr std::string_view kDockersDoor = "DOCKER-USER";  // made by Docker for rules of others

constexpr std::uint16_t request(std::uint16_t type) noexcept {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type);
}

const char* family_text(std::uint8_t family) noexcept {
  switch (family) {
    case NFPROTO_INET:
      return "inet";
    case NFPROTO_IPV4:
      return "ip";
    case NFPROTO_IPV6:
      return "ip6";
    default:
      return nullptr;
  }
}

std::uint8_t family_of(const nlmsghdr* message) {
  return static_cast<const nfgenmsg*>(mnl_nlmsg_get_payload(message))->nfgen_family;
}

struct Chain {
  ForwardChain names;
  bool forwards = false;  // a base chain at the hook `forward`
};

void read_chain(const nlmsghdr* message, std::vector<Chain>& chains) {
  const Attributes attributes(message, sizeof(nfgenmsg));
  const char* family = family_text(family_of(message));
  const std::string table = attributes.text(NFTA_CHAIN_TABLE);
  if (family == nullptr || table.compare(0, kOwnTables.size(), kOwnTables) == 0) return;
  const nlattr* hook = attributes.get(NFTA_CHAIN_HOOK);
  const bool forwards =
      hook != nullptr && Attributes(hook).network_number(NFTA_HOOK_HOOKNUM) == NF_INET_FORWARD;
  const nlattr* policy = attributes.get(NFTA_CHAIN_POLICY);
  const bool drops = policy != nullptr && attributes.network_number(NFTA_CHAIN_POLICY) == NF_DROP;
  chains.push_back({{family, table, attributes.text(NFTA_CHAIN_NAME), drops}, forwards});
}

enum class Word { neutral, condition, refusal };

// What one expression of a rule does to a packet.
Word word_of(const nlattr* expression) {
  const Attributes attributes(expression);
  const std::string name = attributes.text(NFTA_EXPR_NAME);
  const Attributes data(attributes.get(NFTA_EXPR_DATA));
  if (name == "counter" || name == "log") return Word::neutral;
  if (name == "reject") return Word::refusal;
  if (name == "target") {
    return data.text(NFTA_TARGET_NAME) == "REJECT" ? Word::refusal : Word::condition;
  }
  if (name != "immediate") return Word::condition;
  const Attributes value(data.get(NFTA_IMMEDIATE_DATA));
  const nlattr* verdict = value.get(NFTA_DATA_VERDICT);
  if (verdict == nullptr) return Word::condition;
  const auto code = static_cast<int>(Attributes(verdict).network_number(NFTA_VERDICT_CODE));
  return code == NF_DROP ? Word::refusal : Word::condition;
}

int take_word(const nlattr* expression, void* words) {
  static_cast<std::vector<Word>*>(words)->push_back(word_of(expression));
  return MNL_CB_OK;
}

// A rule that refuses whatever reaches it. Those with a condition are somebody's intention.
bool refuses_all(const nlattr* expressions) {
  std::vector<Word> words;
  if (expressions != nullptr) mnl_attr_parse_nested(expressions, take_word, &words);
  const auto is = [&](Word word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  return is(Word::refusal) && !is(Word::condition);
}

void read_rule(const nlmsghdr* message, std::vector<Chain>& chains) {
  const char* family = family_text(family_of(message));
  if (family == nullptr) return;
  const Attributes attributes(message, sizeof(nfgenmsg));
  if (!refuses_all(attributes.get(NFTA_RULE_EXPRESSIONS))) return;
  const std::string table = attributes.text(NFTA_RULE_TABLE);
  const std::string chain = attributes.text(NFTA_RULE_CHAIN);
  for (Chain& each : chains) {
    const ForwardChain& names = each.names;
    each.names.drops =
        names.drops || (names.family == family && names.table == table && names.chain == chain);
  }
}

bool has_dockers_door(const std::vector<Chain>& chains, const ForwardChain& base) {
  return std::any_of(chains.begin(), chains.end(), [&](const Chain& each) {
    return each.names.family == base.family && each.names.table == base.table &&
           each.names.chain == kDockersDoor;
  });
}

}  // namespace

std::vector<ForwardChain> read_forward_chains() {
  std::vector<Chain> chains;
  std::int32_t status = dump({NETLINK_NETFILTER, request(NFT_MSG_GETCHAIN)},
                             [&](const nlmsghdr* message) { read_chain(message, chains); });
  if (status != TUNNEL_OK) return {};
  status = dump({NETLINK_NETFILTER, request(NFT_MSG_GETRULE)},
                [&](const nlmsghdr* message) { read_rule(message, chains); });
  if (status != TUNNEL_OK) return {};
  std::vector<ForwardChain> found;
  for (const Chain& each : chains) {
    if (!each.forwards || !each.names.drops) continue;
    found.push_back(each.names);
    if (has_dockers_door(chains, each.names)) found.back().chain = kDockersDoor;
  }
  return found;
}

}  // namespace tunnel::host
