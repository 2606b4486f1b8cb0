// issue.h — how what is wrong with a file reaches the caller.
#pragma once

#include <tunnel/host/config.h>

#include <cstdint>

#include "base/base.h"

namespace tunnel::host {

// Hands an issue to the caller, who may not want it; `status` unless its struct is none.
inline std::int32_t tell(const tunnel_config_issue& found, tunnel_config_issue* issue,
                         std::int32_t status) {
  const bool told = issue == nullptr || base::write_sized(found, issue) == TUNNEL_OK;
  return told ? status : TUNNEL_ERR_ARGUMENT;
}

}  // namespace tunnel::host
