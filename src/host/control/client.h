// client.h — asks and ends daemons through their control sockets. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "host/control/uapi_read.h"

namespace tunnel::host {

inline constexpr std::size_t kLargestAnswer = std::size_t{256} << 20;

// Names whose daemon lives, sorted.
base::Result<std::vector<std::string>> list_daemons(const std::string& directory);

struct DaemonPlace {
  std::string directory;
  std::string name;
  std::uint32_t timeout_ms;
};

// Sends a request and waits for the whole answer.
std::int32_t request(const DaemonPlace& place, std::string_view text, base::WipedBuffer& answer);

// Sends the lines of a `set=1` request. The daemon's refusal as a status.
std::int32_t set_daemon(const DaemonPlace& place, std::string_view lines);

// Makes, changes or removes one peer of a running tunnel: TUNNEL_CONTROL_PEER_.
std::int32_t change_peer(const DaemonPlace& place, const tunnel_config_peer& peer,
                         std::uint32_t change);

base::Result<Snapshot> ask_daemon(const std::string& directory, const std::string& name,
                                  std::uint32_t timeout_ms);

// Deletes the socket of a daemon and waits until it has gone.
std::int32_t stop_daemon(const std::string& directory, const std::string& name,
                         std::uint32_t timeout_ms);

}  // namespace tunnel::host
