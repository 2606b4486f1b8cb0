#include "uplink_servers.h"

#include <algorithm>
#include <cstring>

#include <tunnel/host/dns.h>

namespace simplevpn {
namespace {

constexpr std::size_t kMostServers = 8;

bool same(const tunnel_address& a, const tunnel_address& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

}  // namespace

void UplinkServers::learn(const tunnel_config* config) {
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  if (tunnel_config_get_interface(config, &interface) == TUNNEL_OK) {
    own_.assign(interface.dns_servers, interface.dns_servers + interface.dns_server_count);
  }
  servers_ = find();
}

// Between two networks there may be none; the former ones do no harm.
bool UplinkServers::refresh() {
  auto servers = find();
  if (servers.empty() ||
      std::equal(servers.begin(), servers.end(), servers_.begin(), servers_.end(), same)) {
    return false;
  }
  servers_ = std::move(servers);
  return true;
}

std::vector<tunnel_address> UplinkServers::find() const {
  std::vector<tunnel_address> servers(kMostServers);
  std::size_t count = 0;
  const std::int32_t status =
      tunnel_dns_uplink(own_.data(), own_.size(), servers.data(), servers.size(), &count);
  servers.resize(status == TUNNEL_OK ? std::min(count, kMostServers) : 0);
  return servers;
}

bool takes_questions(const tunnel_settings* settings) {
  tunnel_setting setting = TUNNEL_SETTING_INIT;
  for (std::size_t i = 0; tunnel_settings_get(settings, i, &setting) == TUNNEL_OK; ++i) {
    const bool half = setting.kind == TUNNEL_SETTING_ROUTE && setting.prefix.length <= 1;
    if (half || setting.kind == TUNNEL_SETTING_RESOLVER || setting.kind == TUNNEL_SETTING_RULE) {
      return true;
    }
  }
  return false;
}

}  // namespace simplevpn
