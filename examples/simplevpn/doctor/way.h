// way.h - the way that packets take to an address, asked of the kernel and of the network.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "facts.h"

namespace simplevpn::doctor {

// Whether packets with this mark to `address` (with a port) would go into the interface `name`.
enum class Leads { nowhere, inside, outside };
[[nodiscard]] Leads leads(const std::string& name, const sockaddr* address, std::uint32_t mark);

// Fills in what is known of the way to the peer's endpoint: whether its name has an address,
// whether the way leads into the tunnel or is refused, and what fits through it. Sends up to three
// datagrams that no WireGuard answers. May wait for a second.
void read_way(const Facts& facts, PeerFacts& peer);

}  // namespace simplevpn::doctor
