// read.h — a configuration file on disk.
#pragma once

#include <string>
#include <string_view>

#include "host/config/model.h"

namespace tunnel::host {

// Reads and parses a file. Warns when somebody else may read or change it and it holds a key.
std::int32_t read_config(const std::string& path, Config& config, tunnel_config_issue& issue);

// "wg0" of "/etc/wireguard/wg0.conf"; "" when that is no name of a tunnel.
std::string tunnel_name_of(std::string_view path);

}  // namespace tunnel::host
