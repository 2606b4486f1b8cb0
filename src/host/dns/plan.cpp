#include "host/dns/plan.h"

#include <algorithm>
#include <span>

#include "host/dns/detect.h"

namespace tunnel::host {
namespace {

bool has_default_route(const tunnel_config* config, std::size_t peers) {
  for (std::size_t i = 0; i < peers; ++i) {
    tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
    if (tunnel_config_get_peer(config, i, &peer) != TUNNEL_OK) return false;
    const std::span prefixes(peer.allowed_ips, peer.allowed_ip_count);
    const bool has = std::any_of(prefixes.begin(), prefixes.end(),
                                 [](const tunnel_prefix& prefix) { return prefix.length == 0; });
    if (has) return true;
  }
  return false;
}

}  // namespace

std::optional<ResolverStep> plan_resolver(const tunnel_config* config,
                                          const std::string& interface_name,
                                          std::optional<ResolverStep::Backend> backend) {
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  if (tunnel_config_get_interface(config, &interface) != TUNNEL_OK) return std::nullopt;
  const std::span servers(interface.dns_servers, interface.dns_server_count);
  const std::span domains(interface.search_domains, interface.search_domain_count);
  if (servers.empty() && domains.empty()) return std::nullopt;
  ResolverStep step{backend ? *backend : choose_backend(),
                    interface_name,
                    {servers.begin(), servers.end()},
                    {},
                    false};
  const bool routes = (interface.fields & (TUNNEL_CONFIG_TABLE_OFF | TUNNEL_CONFIG_TABLE)) == 0;
  step.everything = routes && has_default_route(config, interface.peer_count);
  for (const std::string domain : domains) {
    if (domain == "~." || domain == "~") {
      step.everything = true;
    } else {
      step.domains.push_back(domain);
    }
  }
  return step;
}

}  // namespace tunnel::host
