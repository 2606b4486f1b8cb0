// plan.h — the whole plan for one tunnel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/machine/machine.h"
#include "host/routing/request.h"
#include "host/step/step.h"

namespace tunnel::host {

// What the socket of the tunnel must carry so that its datagrams stay outside; 0 = nothing.
std::uint32_t chosen_mark(const Request& request, const Machine& machine);

// In the order of application. What leaves no gap comes first: the block before the interface is
// up, the filter before the routes.
std::vector<Step> plan_routing(const Request& request, const Machine& machine);

// Do these steps lead all packets of at least one family into the tunnel? Routes in a table that no
// rule of theirs asks do not.
bool leads_everything(const std::vector<Step>& steps, const std::string& interface_name);

// What plan_routing() chooses where the request leaves it open. A request that has it gets the same
// on every machine.
Numbers chosen_numbers(const Request& request, const Machine& machine);

// The machine as it would be without a tunnel, whose steps these are: what to plan by when the
// machine has changed.
Machine without(Machine machine, const std::string& tunnel, const std::vector<TakenStep>& taken);

}  // namespace tunnel::host
