// detect.h — which backend a machine uses, and who its resolvers are. Changes nothing.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "host/dns/places.h"
#include "host/step/step.h"

namespace tunnel::host {

// "resolved", "network_manager", "resolvconf", "file"
const char* backend_name(ResolverStep::Backend backend) noexcept;
std::optional<ResolverStep::Backend> backend_from(std::string_view name) noexcept;

// The first that works, in the order above: its tool is there, its service answers, it is the one
// whose answers programs get, and it can keep others from being asked when the tunnel's servers are
// to get all names (`everything`). The file always does. May wait for a service, some seconds.
ResolverStep::Backend choose_backend(bool everything, const DnsPlaces& places = {});

// The resolvers that the machine would ask if there were no tunnel of ours, without `own` ones.
// Behind a stub on this machine stand others; it is named itself only when they are unknown.
std::vector<tunnel_address> uplink_resolvers(const std::vector<tunnel_address>& own,
                                             const DnsPlaces& places = {});

}  // namespace tunnel::host
