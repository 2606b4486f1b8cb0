// events.h - the engine's events as log lines.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include <tunnel/host/config.h>

#include "log.h"

namespace simplevpn {

// How people call the peers that have friendly names, by public key.
using PublicKey = std::array<std::uint8_t, TUNNEL_KEY_SIZE>;
using PeerNames = std::map<PublicKey, std::string>;

PublicKey public_key_of(const std::uint8_t* bytes);
PeerNames peer_names(const tunnel_config* config);

void log_event(Log& log, const PeerNames& names, const tunnel_event& event);

}  // namespace simplevpn
