#include "host/dns/plan.h"

#include <span>

#include "host/dns/detect.h"

namespace tunnel::host {
std::optional<ResolverStep> plan_resolver(const tunnel_config* config,
                                          const std::string& interface_name, bool everything,
                                          std::optional<ResolverStep::Backend> backend) {
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  if (tunnel_config_get_interface(config, &interface) != TUNNEL_OK) return std::nullopt;
  const std::span servers(interface.dns_servers, interface.dns_server_count);
  const std::span domains(interface.search_domains, interface.search_domain_count);
  if (servers.empty() && domains.empty()) return std::nullopt;
  ResolverStep step{{}, interface_name, {servers.begin(), servers.end()}, {}, everything};
  for (const std::string domain : domains) {
    if (domain == "~." || domain == "~") {
      step.everything = true;
    } else {
      step.domains.push_back(domain);
    }
  }
  step.backend = backend ? *backend : choose_backend(step.everything && !servers.empty());
  return step;
}

}  // namespace tunnel::host
