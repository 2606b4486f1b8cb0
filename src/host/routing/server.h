// server.h — packets of others through this machine: a server's clients to the Internet, or the
// hosts of a network through a client's tunnel.
#pragma once

#include <string>
#include <vector>

#include "host/routing/choice.h"
#include "host/step/step.h"

namespace tunnel::host {

// Chains of the tunnel's table: forwarding, NAT, MSS. Empty for a client that shares nothing.
std::string forwarding_chains(const Request& request, const Choice& choice);

// Kernel settings and rules in chains of others; nothing for a client that shares nothing.
std::vector<Step> forwarding_steps(const Request& request, const Choice& choice,
                                   const Machine& machine);

}  // namespace tunnel::host
