// privilege.h - what this process may do.
#pragma once

namespace simplevpn {

// Interfaces, routes and filters of this network are ours to change.
[[nodiscard]] bool has_net_admin();

}  // namespace simplevpn
