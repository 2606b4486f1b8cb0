// privilege.h - what this process may do.
#pragma once

#include <cstdint>

namespace simplevpn {

// Bits by their CAP_ numbers; all of them when nobody knows.
[[nodiscard]] std::uint64_t effective_capabilities();

// Interfaces, routes and filters of this network are ours to change.
[[nodiscard]] bool has_net_admin();

}  // namespace simplevpn
