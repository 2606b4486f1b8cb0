// reader.h — the parts that a Machine is read from.
#pragma once

#include <cstdint>

#include "host/machine/snapshot.h"

namespace tunnel::host {

// Links, addresses, routes and rules, in this order. A status.
std::int32_t read_routing(Machine& machine);

// The chains of others that drop what is forwarded. Whoever may not ask finds none.
std::vector<ForwardChain> read_forward_chains();

// What /proc/sys says of these links, of "all" and of "default".
Sysctls read_sysctls(const std::vector<Link>& links);

}  // namespace tunnel::host
