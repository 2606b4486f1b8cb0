// network.h — the two families, and prefixes without their host bits.
#pragma once

#include <tunnel/packet.h>

#include <array>
#include <cstdint>

namespace tunnel::host {

inline constexpr std::array<std::uint8_t, 2> kFamilies = {TUNNEL_FAMILY_IPV4, TUNNEL_FAMILY_IPV6};

// The network that an address with a length is in.
tunnel_prefix network_of(tunnel_prefix prefix) noexcept;

}  // namespace tunnel::host
