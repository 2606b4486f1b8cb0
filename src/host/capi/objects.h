// objects.h — what the opaque handles of tunnel/host/*.h are.
#pragma once

#include <tunnel/host/config.h>

#include <optional>
#include <string>
#include <vector>

#include "host/config/config.h"
#include "host/control/control.h"
#include "host/routing/routing.h"
#include "host/settings/settings.h"

struct tunnel_config {
  tunnel::host::Config content;
};

struct tunnel_snapshot {
  tunnel::host::Snapshot content;
};

struct tunnel_settings {
  tunnel::host::Applier applier;
  tunnel::host::Request request;  // what the plan was made of
  tunnel::host::Machine machine;
  std::string text;                             // of the plan
  std::optional<std::vector<bool>> in_force{};  // per step; of what was recalled from a journal

  bool applied(std::size_t index) const {
    return in_force ? (*in_force)[index] : applier.applied(index);
  }
};
