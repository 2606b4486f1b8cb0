// text.cpp — steps as commands of iproute2, sysctl and nft.
#include <tunnel/host/settings.h>
#include <tunnel/host/text.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "host/step/step.h"

namespace tunnel::host {
namespace {

constexpr std::uint32_t kMain = 254;

std::string text_of(const tunnel_prefix& prefix) {
  std::array<char, TUNNEL_PREFIX_TEXT_SIZE> text{};
  (void)tunnel_prefix_to_text(&prefix, text.data());
  return text.data();
}

// Without brackets and port.
std::string text_of(const tunnel_address& address) {
  tunnel_prefix whole{};
  whole.family = address.family;
  whole.length = address.family == TUNNEL_FAMILY_IPV4 ? 32 : 128;
  std::copy_n(address.bytes, sizeof(whole.bytes), whole.bytes);
  const std::string text = text_of(whole);
  return text.substr(0, text.find('/'));
}

std::string hexadecimal(std::uint32_t number) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), number, 16).ptr;
  return "0x" + std::string(digits.begin(), end);
}

std::string ip(std::uint8_t family) {
  return family == TUNNEL_FAMILY_IPV4 ? "ip -4 " : "ip -6 ";
}

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

// sysctl writes a dot where the path has a slash, and the other way round.
std::string sysctl_name(std::string path) {
  for (char& c : path) c = c == '/' ? '.' : c == '.' ? '/' : c;
  return path;
}

template <class List>
std::string joined(const List& list) {
  std::string result;
  for (const auto& each : list) result += (result.empty() ? "" : " ") + each;
  return result;
}

struct Writer {
  const std::string& interface_name;

  std::string operator()(const MtuStep& step) const {
    return "ip link set dev " + interface_name + " mtu " + std::to_string(step.mtu);
  }

  std::string operator()(const AddressStep& step) const {
    return ip(step.address.family) + "address add " + text_of(step.address) + " dev " +
           interface_name + (step.address.family == TUNNEL_FAMILY_IPV6 ? " nodad" : "");
  }

  std::string operator()(const UpStep&) const {
    return "ip link set dev " + interface_name + " up";
  }

  std::string operator()(const RouteStep& step) const {
    std::string text = ip(step.prefix.family) + "route add ";
    text += (step.unreachable ? "unreachable " : "") + text_of(step.prefix);
    if (step.gateway) text += " via " + text_of(*step.gateway);
    if (!step.device.empty()) text += " dev " + step.device;
    if (step.table != kMain) text += " table " + std::to_string(step.table);
    return text + " proto " + std::to_string(TUNNEL_SETTINGS_PROTOCOL);
  }

  std::string operator()(const RuleStep& step) const {
    std::string text = ip(step.family) + "rule add";
    if (step.not_mark) text += " not";
    if (step.to) text += " to " + text_of(*step.to);
    if (step.mark) text += " fwmark " + hexadecimal(*step.mark);
    text += " lookup " + (step.table == kMain ? "main" : std::to_string(step.table));
    if (step.suppress_prefixlength) {
      text += " suppress_prefixlength " + std::to_string(*step.suppress_prefixlength);
    }
    if (step.priority != 0) text += " priority " + std::to_string(step.priority);
    return text + " protocol " + std::to_string(TUNNEL_SETTINGS_PROTOCOL);
  }

  std::string operator()(const SysctlStep& step) const {
    const std::string assignment = sysctl_name(step.name) + "=" + step.value;
    const bool blank = assignment.find_first_of(" \t") != std::string::npos;
    return "sysctl -w " + (blank ? quoted(assignment) : assignment);
  }

  std::string operator()(const TableStep& step) const {
    return "nft -f - <<'END'\n" + table_script(step) + "END";
  }

  std::string operator()(const ForeignRuleStep& step) const {
    return "nft " + quoted(rule_script(step));
  }

  std::string operator()(const ResolverStep& step) const {
    std::vector<std::string> servers;
    for (const tunnel_address& server : step.servers) servers.push_back(text_of(server));
    if (step.backend != ResolverStep::Backend::resolved) return file(step, servers);
    const std::string device = " " + step.interface_name + " ";
    std::vector<std::string> domains = step.domains;
    if (step.everything && !servers.empty()) domains.emplace_back("'~.'");
    const std::string names = "resolvectl domain" + device + joined(domains);
    if (servers.empty()) return names;
    const bool fallback = step.everything || step.domains.empty();
    return "resolvectl dns" + device + joined(servers) + (domains.empty() ? "" : " && " + names) +
           " && resolvectl default-route" + device + (fallback ? "yes" : "no");
  }

  // resolv.conf, for the backends that take one.
  static std::string file(const ResolverStep& step, const std::vector<std::string>& servers) {
    std::string text = "printf '";
    for (const std::string& server : servers) text += "nameserver " + server + "\\n";
    if (!step.domains.empty()) text += "search " + joined(step.domains) + "\\n";
    switch (step.backend) {
      case ResolverStep::Backend::resolvconf:
        return text + "' | resolvconf -a " + step.interface_name +
               (step.everything ? " -m 0 -x" : "");
      case ResolverStep::Backend::network_manager:
        return text + "' through NetworkManager for " + step.interface_name;
      default:
        return text + "' > /etc/resolv.conf";
    }
  }
};

}  // namespace

std::string table_text(const TableStep& step) {
  return (step.arp ? "arp " : "inet ") + step.name;
}

std::string table_definition(const TableStep& step) {
  std::string body = step.body;
  if (!body.empty() && body.back() != '\n') body += '\n';
  return "table " + table_text(step) + " {\n" + body + "}\n";
}

// Adding it first makes the deletion valid when there is no table yet. All three are one
// transaction.
std::string table_script(const TableStep& step) {
  const std::string table = "table " + table_text(step);
  return table + "\ndelete " + table + "\n" + table_definition(step);
}

std::string rule_script(const ForeignRuleStep& step) {
  return "insert rule " + step.family + " " + step.table + " " + step.chain + " " + step.rule +
         " comment \"" + step.comment + "\"";
}

std::string step_text(const Step& step, const std::string& interface_name) {
  return std::visit(Writer{interface_name}, step);
}

}  // namespace tunnel::host
