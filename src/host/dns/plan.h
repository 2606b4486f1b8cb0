// plan.h — the step that a configuration asks for.
#pragma once

#include <tunnel/host/config.h>

#include <optional>
#include <string>

#include "host/step/step.h"

namespace tunnel::host {

// Nothing when the file has no DNS. Without `backend` the first that works is found out. The
// tunnel's servers get all names when it gets all packets of a family (`everything`, which the
// routing plan knows), or the file says so ("~.").
std::optional<ResolverStep> plan_resolver(const tunnel_config* config,
                                          const std::string& interface_name, bool everything,
                                          std::optional<ResolverStep::Backend> backend = {});

}  // namespace tunnel::host
