// events.h - the engine's events as log lines.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <tunnel/core.h>

#include "log.h"

namespace simplevpn {

// How people call the peers: the friendly name, or the public key.
using PeerNames = std::map<std::uint64_t, std::string>;

void log_event(Log& log, const PeerNames& names, const tunnel_event& event);

}  // namespace simplevpn
