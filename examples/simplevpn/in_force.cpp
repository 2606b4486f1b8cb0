#include "in_force.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "handles.h"

namespace simplevpn {
namespace {

void take(const tunnel_setting& setting, InForce& found) {
  if (setting.applied == 0) {
    found.undone.emplace_back(setting.text);
  } else if (setting.kind == TUNNEL_SETTING_FOREIGN_RULE) {
    found.foreign_rules.emplace_back(setting.text);
  }
}

}  // namespace

InForce read_in_force(const std::string& name) {
  InForce found;
  tunnel_settings* recalled = nullptr;
  if (tunnel_settings_recall(nullptr, name.c_str(), &recalled) != TUNNEL_OK) return found;
  const SettingsHandle settings(recalled);
  tunnel_settings_summary summary = TUNNEL_SETTINGS_SUMMARY_INIT;
  if (tunnel_settings_summarize(recalled, &summary) != TUNNEL_OK) return found;
  found.known = true;
  found.kill_switch = (summary.flags & TUNNEL_SETTINGS_KILL_SWITCH) != 0;
  found.translates = (summary.flags & TUNNEL_SETTINGS_SERVER) != 0;
  found.scheme = summary.scheme;
  found.mark = tunnel_settings_mark(recalled);
  found.dns_backend = summary.dns_backend;
  tunnel_setting setting = TUNNEL_SETTING_INIT;
  for (std::size_t i = 0; tunnel_settings_get(recalled, i, &setting) == TUNNEL_OK; ++i) {
    take(setting, found);
  }
  return found;
}

std::vector<std::string> blocks_left(const std::vector<std::string>& running) {
  std::array<char[16], 64> names{};
  std::size_t count = 0;
  std::vector<std::string> left;
  if (tunnel_settings_list(nullptr, names.data(), names.size(), &count) != TUNNEL_OK) return left;
  for (std::size_t i = 0; i < std::min(count, names.size()); ++i) {
    const std::string name = names[i];
    if (std::find(running.begin(), running.end(), name) != running.end()) continue;
    if (read_in_force(name).kill_switch) left.push_back(name);
  }
  return left;
}

// It reads "nft 'insert rule ip filter FORWARD ...".
std::string chain_of(const std::string& rule) {
  std::istringstream words(rule);
  std::string skipped, family, table, chain;
  words >> skipped >> skipped >> skipped >> family >> table >> chain;
  return family + " " + table + " " + chain;
}

std::string scheme_word(std::uint32_t scheme) {
  switch (scheme) {
    case TUNNEL_SCHEME_WG_QUICK:
      return "wg-quick";
    case TUNNEL_SCHEME_STRICT:
      return "strict";
    case TUNNEL_SCHEME_SPLIT:
      return "split";
    default:
      return "";
  }
}

std::string dns_word(std::uint32_t backend) {
  return backend == TUNNEL_DNS_AUTO ? "" : tunnel_dns_backend_name(backend);
}

}  // namespace simplevpn
