// A saved line: backend, interface, and what the backend needs.
#include "host/dns/dns.h"

#include <algorithm>
#include <cerrno>

#include "host/dns/backends.h"
#include "host/system/system.h"

namespace tunnel::host {
namespace {

using Backend = ResolverStep::Backend;

bool is_valid(const ResolverStep& step) {
  return std::all_of(step.domains.begin(), step.domains.end(), is_search_domain) &&
         (!step.servers.empty() || !step.domains.empty());
}

}  // namespace

base::Result<std::string> save_resolver(const ResolverStep& step, const DnsPlaces& places) {
  if (!is_valid(step)) return base::Error{TUNNEL_ERR_ARGUMENT};
  const std::string line = std::string(backend_name(step.backend)) + " " + step.interface_name;
  if (step.backend == Backend::resolved) return line + " " + dns::resolved::kind(step);
  if (step.backend == Backend::resolvconf) {
    return line + " " + dns::resolvconf::record_name(step, places);
  }
  if (step.backend != Backend::file) return line;
  const auto file = dns::resolv_file::save(step, places);
  if (!file) return base::Error{file.status()};
  return line + " " + *file;
}

Answer apply_resolver(const ResolverStep& step, std::string_view saved, const DnsPlaces& places) {
  (void)next_word(saved);
  (void)next_word(saved);
  switch (step.backend) {
    case Backend::resolved:
      return dns::resolved::apply(step);
    case Backend::network_manager:
      return dns::network_manager::apply(step, places);
    case Backend::resolvconf:
      return dns::resolvconf::apply(step, std::string(next_word(saved)), places);
    default:
      return dns::resolv_file::apply(saved, places);
  }
}

namespace {

Answer undo_by(Backend backend, const std::string& interface_name, std::string_view saved,
               const DnsPlaces& places) {
  switch (backend) {
    case Backend::resolved:
      return dns::resolved::undo(interface_name);
    case Backend::network_manager:
      return dns::network_manager::undo(interface_name, places);
    case Backend::resolvconf:
      return dns::resolvconf::undo(std::string(next_word(saved)));
    default:
      return dns::resolv_file::undo(interface_name, saved, places);
  }
}

}  // namespace

Answer undo_resolver(std::string_view saved, const DnsPlaces& places) {
  const auto backend = backend_from(next_word(saved));
  const std::string interface_name(next_word(saved));
  if (!backend || interface_name.empty()) return {EINVAL, "the saved line cannot be read"};
  Answer outcome = undo_by(*backend, interface_name, saved, places);
  // The tool was removed with what it managed.
  if (outcome.error == ENOENT) outcome.error = 0;
  return outcome;
}

bool is_resolver_in_force(std::string_view saved, const DnsPlaces& places) {
  const auto backend = backend_from(next_word(saved));
  const std::string interface_name(next_word(saved));
  if (!backend) return false;
  switch (*backend) {
    case Backend::resolved:
      return dns::resolved::is_in_force(interface_name, std::string(next_word(saved)));
    case Backend::network_manager:
      return dns::network_manager::is_in_force(interface_name, places);
    case Backend::resolvconf:
      return true;
    default:
      return dns::resolv_file::is_in_force(saved, places);
  }
}

}  // namespace tunnel::host
