// plain.h — the configuration of a tunnel without keys.
#pragma once

#include <string_view>

#include "host/config/model.h"

namespace tunnel::host {

// As parse_config, but keys are what is refused, not what is missed.
std::int32_t parse_plain_config(std::string_view text, Config& config, tunnel_config_issue& issue);

}  // namespace tunnel::host
