// plan.h — what shall be changed for one interface, as data.
#pragma once

#include <string>
#include <vector>

#include "host/step/step.h"

namespace tunnel::host {

struct Plan {
  std::string interface_name;
  std::vector<Step> steps;  // in the order of application
};

}  // namespace tunnel::host
