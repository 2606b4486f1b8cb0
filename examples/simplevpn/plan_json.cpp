#include "plan_json.h"

#include <array>
#include <nlohmann/json.hpp>

namespace simplevpn {
namespace {

using nlohmann::ordered_json;

std::string kind_word(std::uint32_t kind) {
  constexpr std::array kWords{"mtu",    "address", "up",           "route",   "rule",
                              "sysctl", "table",   "foreign_rule", "resolver"};
  const std::size_t at = kind - TUNNEL_SETTING_MTU;
  return at < kWords.size() ? kWords[at] : "other";
}

}  // namespace

std::string plan_json(const tunnel_settings* settings, const std::string& name) {
  ordered_json steps = ordered_json::array();
  tunnel_setting setting = TUNNEL_SETTING_INIT;
  for (std::size_t i = 0; tunnel_settings_get(settings, i, &setting) == TUNNEL_OK; ++i) {
    steps.push_back({{"kind", kind_word(setting.kind)}, {"command", setting.text}});
  }
  const ordered_json document{{"schema", "simplevpn.plan/1"},
                              {"tunnel", name},
                              {"steps", std::move(steps)},
                              {"script", tunnel_settings_text(settings)}};
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace simplevpn
