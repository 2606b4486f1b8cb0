// plan.h — what shall be changed for a configuration, as data.
#pragma once

#include <tunnel/host/config.h>

#include <string>
#include <vector>

#include "host/step/step.h"

namespace tunnel::host {

struct Plan {
  std::string interface_name;
  std::vector<Step> steps;  // in the order of application
};

// The plan for a configuration that tunnel_config_check accepts.
Plan make_plan(const tunnel_config* config, const std::string& interface_name);

}  // namespace tunnel::host
