// read.h — a configuration file on disk.
#pragma once

#include <string>
#include <string_view>

#include "host/config/model.h"
#include "host/system/system.h"

namespace tunnel::host {

// Reads and parses a file. Warns when somebody else may read or change it and it holds a key.
std::int32_t read_config(const std::string& path, Config& config, tunnel_config_issue& issue);

// The same for a file that is open: what is wrong with it, and with who may read it.
std::int32_t read_config(const LockedFile& file, const std::string& path, Config& config,
                         tunnel_config_issue& issue);

// Why a file could not be read. errno is the reason.
tunnel_config_issue unreadable(std::int32_t status, int system_error);

// "wg0" of "/etc/wireguard/wg0.conf"; "" when that is no name of a tunnel.
std::string tunnel_name_of(std::string_view path);

}  // namespace tunnel::host
