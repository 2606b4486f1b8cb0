// plan.h — what shall be changed, as data: it can be shown, applied, and undone in reverse.
#pragma once

#include <tunnel/host/settings.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tunnel::host {

struct Step {
  std::uint32_t kind;  // TUNNEL_SETTING_
  std::uint32_t value = 0;
  tunnel_prefix prefix{};
};

struct Plan {
  std::string interface_name;
  std::vector<Step> steps;  // in the order of application
};

// The plan for a configuration that tunnel_config_check accepts.
Plan make_plan(const tunnel_config* config, const std::string& interface_name);

// "route 10.9.0.0/24 dev wg0"
std::string step_text(const Step& step, const std::string& interface_name);

}  // namespace tunnel::host
