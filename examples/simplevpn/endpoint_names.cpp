#include "endpoint_names.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "format.h"

namespace simplevpn {
namespace {

constexpr std::uint32_t kPatienceMs = 3000;
constexpr std::size_t kMostResolvers = 8;

// Steps after which the system's resolver may ask through the tunnel.
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

bool same(const tunnel_address& a, const tunnel_address& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

}  // namespace

void EndpointNames::learn(const tunnel_config* config) {
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  if (tunnel_config_get_interface(config, &interface) == TUNNEL_OK) {
    own_.assign(interface.dns_servers, interface.dns_servers + interface.dns_server_count);
  }
  uplink_ = ask_uplink();
}

std::vector<tunnel_address> EndpointNames::ask_uplink() const {
  std::vector<tunnel_address> servers(kMostResolvers);
  std::size_t count = 0;
  const std::int32_t status =
      tunnel_dns_uplink(own_.data(), own_.size(), servers.data(), servers.size(), &count);
  servers.resize(status == TUNNEL_OK ? std::min(count, kMostResolvers) : 0);
  return servers;
}

std::int32_t EndpointNames::start(tunnel_engine* engine, const tunnel_config* config) {
  tunnel_resolver_config resolver_config = TUNNEL_RESOLVER_CONFIG_INIT;
  resolver_config.engine = engine;
  resolver_config.report = on_resolved;
  resolver_config.context = this;
  tunnel_resolver* resolver = nullptr;
  const std::int32_t status = tunnel_resolver_create(&resolver_config, &resolver);
  resolver_.reset(resolver);
  return status == TUNNEL_OK ? tunnel_resolver_add_config(resolver, config) : status;
}

void EndpointNames::leave_system(const tunnel_settings* settings, std::uint32_t mark) {
  if (!takes_questions(settings)) return;
  static_cast<void>(tunnel_resolver_wait(resolver_.get(), kPatienceMs));
  ours_ = true;
  mark_ = mark;
  ask();
}

void EndpointNames::ask() {
  if (!ours_ || uplink_.empty()) return;
  static_cast<void>(tunnel_resolver_ask(resolver_.get(), uplink_.data(), uplink_.size(), mark_));
}

void EndpointNames::event(const tunnel_event& event) {
  if (event.kind == TUNNEL_EVENT_NETWORK) {
    auto servers = ask_uplink();
    const bool changed =
        !std::equal(servers.begin(), servers.end(), uplink_.begin(), uplink_.end(), same);
    // Between two networks there may be none; the former ones do no harm.
    if (changed && !servers.empty()) {
      uplink_ = std::move(servers);
      ask();
    }
  }
  static_cast<void>(tunnel_resolver_event(resolver_.get(), &event));
}

void EndpointNames::on_resolved(void* self, const std::uint8_t* key, const char* host,
                                const tunnel_address* address, const char* reason) {
  Log& log = static_cast<EndpointNames*>(self)->log_;
  const std::string peer = public_key_text(key);
  if (address != nullptr) {
    static_cast<EndpointNames*>(self)->open_.add(*address);
    log.write(Level::info, "resolved",
              {{"peer", peer}, {"host", host}, {"endpoint", address_text(*address)}});
  } else {
    log.write(Level::warning, "not_resolved", {{"peer", peer}, {"host", host}, {"reason", reason}});
  }
}

}  // namespace simplevpn
