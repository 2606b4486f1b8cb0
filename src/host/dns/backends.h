// backends.h — the four ways to tell a Linux machine its resolvers, one file each.
//
// save() finds out what undo needs, as one line of words for the journal; apply() makes the change;
// undo() takes it back as far as it is still ours. Nothing is kept in between.
#pragma once

#include <string>
#include <string_view>

#include "base/base.h"
#include "host/dns/places.h"
#include "host/step/step.h"
#include "host/system/system.h"

namespace tunnel::host::dns {

// systemd-resolved, by resolvectl: servers of the interface, which end with it.
namespace resolved {
Answer apply(const ResolverStep& step);
Answer undo(const std::string& interface_name);
// What undo need not know: servers or domains, which tell that it is still there.
const char* kind(const ResolverStep& step) noexcept;
bool is_in_force(const std::string& interface_name, const std::string& kind);
}  // namespace resolved

// NetworkManager: a piece of its configuration below /run, which has its global servers.
namespace network_manager {
Answer apply(const ResolverStep& step, const DnsPlaces& places);
Answer undo(const std::string& interface_name, const DnsPlaces& places);
bool is_in_force(const std::string& interface_name, const DnsPlaces& places);
}  // namespace network_manager

// resolvconf, Debian's or openresolv: a record under the interface's name.
namespace resolvconf {
std::string record_name(const ResolverStep& step, const DnsPlaces& places);
Answer apply(const ResolverStep& step, const std::string& record, const DnsPlaces& places);
Answer undo(const std::string& record);
}  // namespace resolvconf

// /etc/resolv.conf itself.
namespace resolv_file {
base::Result<std::string> save(const ResolverStep& step, const DnsPlaces& places);
Answer apply(std::string_view saved, const DnsPlaces& places);
Answer undo(const std::string& interface_name, std::string_view saved, const DnsPlaces& places);
bool is_in_force(std::string_view saved, const DnsPlaces& places);
}  // namespace resolv_file

}  // namespace tunnel::host::dns
