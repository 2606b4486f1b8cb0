// client.h — asks and ends daemons through their control sockets. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/base.h"
#include "host/control/uapi_read.h"

namespace tunnel::host {

inline constexpr std::size_t kLargestAnswer = std::size_t{256} << 20;

// Names whose daemon lives, sorted.
base::Result<std::vector<std::string>> list_daemons(const std::string& directory);

base::Result<Snapshot> ask_daemon(const std::string& directory, const std::string& name,
                                  std::uint32_t timeout_ms);

// Deletes the socket of a daemon and waits until it has gone.
std::int32_t stop_daemon(const std::string& directory, const std::string& name,
                         std::uint32_t timeout_ms);

}  // namespace tunnel::host
