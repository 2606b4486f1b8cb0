#include <net/if.h>

#include "host/dns/backends.h"
#include "host/dns/program.h"
#include "host/dns/resolv_conf.h"
#include "host/dns/tool.h"

namespace tunnel::host::dns::resolved {
namespace {

// "~." takes all names from the other interfaces. Without domains of its own the interface is one
// of several to be asked; with some, the one for those alone.
std::vector<std::string> domains(const ResolverStep& step) {
  std::vector<std::string> domains = step.domains;
  if (step.everything && !step.servers.empty()) domains.emplace_back("~.");
  return domains;
}

Answer call(const std::string& verb, const std::string& interface_name,
            const std::vector<std::string>& values) {
  std::vector<std::string> command{"resolvectl", verb, interface_name};
  command.insert(command.end(), values.begin(), values.end());
  return run_tool(command);
}

}  // namespace

Answer apply(const ResolverStep& step) {
  std::vector<std::string> servers;
  for (const tunnel_address& server : step.servers) servers.push_back(server_text(server));
  const bool fallback = step.everything || step.domains.empty();
  Answer outcome;
  if (!servers.empty()) outcome = call("dns", step.interface_name, servers);
  const auto names = domains(step);
  if (outcome.error == 0 && !names.empty()) outcome = call("domain", step.interface_name, names);
  if (outcome.error != 0 || servers.empty()) return outcome;
  return call("default-route", step.interface_name, {fallback ? "yes" : "no"});
}

Answer undo(const std::string& interface_name) {
  if (::if_nametoindex(interface_name.c_str()) == 0) return {};  // it went with the interface
  return call("revert", interface_name, {});
}

const char* kind(const ResolverStep& step) noexcept {
  return step.servers.empty() ? "domain" : "dns";
}

// "Link 4 (wg0): 10.9.0.1" while it has some.
bool is_in_force(const std::string& interface_name, const std::string& kind) {
  const ProgramResult told = run_program({"resolvectl", kind, interface_name});
  if (!told.ok()) return true;
  const std::size_t colon = told.output.find("):");
  return colon == std::string::npos ||
         told.output.find_first_not_of(" \n", colon + 2) != std::string::npos;
}

}  // namespace tunnel::host::dns::resolved
