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
    return;
  }
  ++found.settings;
  if (setting.kind == TUNNEL_SETTING_FOREIGN_RULE) {
    found.foreign_rules.emplace_back(setting.text);
  }
}

// Names of the tunnels that have one.
std::vector<std::string> journals() {
  std::vector<std::array<char, 16>> found(64);
  std::size_t count = 0;
  std::int32_t result = TUNNEL_OK;
  do {
    found.resize(std::max(found.size(), count));
    result = tunnel_settings_list(nullptr, reinterpret_cast<char(*)[16]>(found.data()),
                                  found.size(), &count);
  } while (result == TUNNEL_OK && count > found.size());
  std::vector<std::string> names;
  for (std::size_t i = 0; result == TUNNEL_OK && i < count; ++i) {
    names.emplace_back(found[i].data());
  }
  return names;
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
  if (found.kill_switch) --found.settings;  // the block is one of them
  return found;
}

Leftovers read_leftovers(const std::vector<std::string>& running) {
  Leftovers left;
  for (const std::string& name : journals()) {
    if (std::find(running.begin(), running.end(), name) != running.end()) continue;
    const InForce in_force = read_in_force(name);
    if (in_force.kill_switch) left.blocks.push_back(name);
    if (in_force.settings != 0) left.settings.push_back(name);
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
