// settings_plan.cpp — the functions of tunnel/host/settings.h that make a plan.
#include <tunnel/host/dns.h>
#include <tunnel/host/settings.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include "host/capi/issue.h"
#include "host/capi/objects.h"
#include "host/dns/dns.h"
#include "host/system/system.h"

namespace base = tunnel::base;
namespace host = tunnel::host;

namespace {

constexpr std::uint32_t kFlags = TUNNEL_SETTINGS_LAN | TUNNEL_SETTINGS_KILL_SWITCH |
                                 TUNNEL_SETTINGS_SERVER | TUNNEL_SETTINGS_CLIENT_TO_CLIENT |
                                 TUNNEL_SETTINGS_NO_FOREIGN_RULES;

bool is_sane(const tunnel_settings_request& request) noexcept {
  return (request.flags & ~kFlags) == 0 && request.scheme <= TUNNEL_SCHEME_SPLIT &&
         request.dns_backend <= TUNNEL_DNS_FILE && request.reserved == 0 &&
         request.port <= std::numeric_limits<std::uint16_t>::max() &&
         (request.resolvers != nullptr || request.resolver_count == 0);
}

host::Scheme scheme_of(const tunnel_settings_request& request) noexcept {
  const bool strict =
      request.scheme == TUNNEL_SCHEME_STRICT || (request.flags & TUNNEL_SETTINGS_KILL_SWITCH) != 0;
  if (strict) return host::Scheme::strict;
  return request.scheme == TUNNEL_SCHEME_SPLIT ? host::Scheme::split : host::Scheme::wg_quick;
}

void add_wishes(const tunnel_settings_request& wishes, host::Request& request) {
  const auto wants = [&](std::uint32_t flag) { return (wishes.flags & flag) != 0; };
  request.scheme = scheme_of(wishes);
  request.lan = wants(TUNNEL_SETTINGS_LAN);
  request.kill_switch = wants(TUNNEL_SETTINGS_KILL_SWITCH);
  request.server = wants(TUNNEL_SETTINGS_SERVER);
  request.client_to_client = wants(TUNNEL_SETTINGS_CLIENT_TO_CLIENT);
  request.foreign_rules = !wants(TUNNEL_SETTINGS_NO_FOREIGN_RULES);
  if (wishes.port != 0) request.port = static_cast<std::uint16_t>(wishes.port);
  if (wishes.nat != nullptr) request.nat = wishes.nat;
  if (wishes.share != nullptr) request.share = wishes.share;
  request.resolvers.assign(wishes.resolvers, wishes.resolvers + wishes.resolver_count);
}

std::int32_t check_link(const host::Machine& machine, const std::string& name,
                        tunnel_config_issue* issue) {
  if (name.empty() || machine.link(name) != nullptr) return TUNNEL_OK;
  tunnel_config_issue missing = TUNNEL_CONFIG_ISSUE_INIT;
  missing.status = TUNNEL_ERR_NOT_FOUND;
  const std::string text = "there is no interface '" + name + "'";
  std::copy_n(text.data(), std::min(text.size(), sizeof(missing.message) - 1), missing.message);
  return host::tell(missing, issue, TUNNEL_ERR_NOT_FOUND);
}

// The engine was told it: it stays, whatever the uplink is later.
std::uint32_t mtu_of(const std::vector<host::Step>& steps) {
  for (const host::Step& step : steps) {
    if (const auto* mtu = std::get_if<host::MtuStep>(&step)) return mtu->mtu;
  }
  return 0;
}

using Backend = host::ResolverStep::Backend;

// Nothing for AUTO.
std::optional<Backend> backend_of(const tunnel_settings_request& request) noexcept {
  if (request.dns_backend == TUNNEL_DNS_AUTO) return std::nullopt;
  return static_cast<Backend>(request.dns_backend - TUNNEL_DNS_RESOLVED);
}

std::int32_t make_plan(const tunnel_config* config, host::Request request,
                       std::optional<Backend> backend, tunnel_settings** settings,
                       tunnel_config_issue* issue) {
  auto machine = host::read_machine();
  if (!machine) return machine.status();
  for (const std::string& name : {request.nat, request.share}) {
    const std::int32_t status = check_link(*machine, name, issue);
    if (status != TUNNEL_OK) return status;
  }
  request.numbers = host::chosen_numbers(request, *machine);
  host::Plan plan{request.name, host::plan_routing(request, *machine)};
  request.mtu = mtu_of(plan.steps);
  // Last: the tunnel's servers are asked only when packets to them go through the tunnel.
  const bool everything = host::leads_everything(plan.steps, request.name);
  auto names = host::plan_resolver(config, request.name, everything, backend);
  if (names) plan.steps.push_back(*names);
  std::string text = text_of(plan);
  *settings = new tunnel_settings{host::Applier(std::move(plan)), std::move(request),
                                  *std::move(machine), std::move(text), std::move(names)};
  return TUNNEL_OK;
}

}  // namespace

std::string tunnel::host::text_of(const Plan& plan) {
  std::string text;
  for (const Step& step : plan.steps) text += step_text(step, plan.interface_name) + "\n";
  return text;
}

void tunnel_settings_request_init(tunnel_settings_request* request) {
  if (request != nullptr) *request = TUNNEL_SETTINGS_REQUEST_INIT;
}

int32_t tunnel_settings_plan_for(const tunnel_config* config,
                                 const tunnel_settings_request* request, const char* interface_name,
                                 tunnel_settings** settings, tunnel_config_issue* issue) {
  if (config == nullptr || interface_name == nullptr || settings == nullptr) {
    return TUNNEL_ERR_ARGUMENT;
  }
  *settings = nullptr;
  tunnel_settings_request wishes = TUNNEL_SETTINGS_REQUEST_INIT;
  if (request != nullptr) {
    const std::int32_t status = base::read_sized(request, wishes);
    if (status != TUNNEL_OK) return status;
  }
  if (!host::is_tunnel_name(interface_name) || !is_sane(wishes)) return TUNNEL_ERR_ARGUMENT;
  const std::int32_t status = tunnel_config_check(config, issue);
  if (status != TUNNEL_OK) return status;
  return host::guarded([&]() -> std::int32_t {
    host::Request wanted = host::request_of(config, interface_name);
    add_wishes(wishes, wanted);
    return make_plan(config, std::move(wanted), backend_of(wishes), settings, issue);
  });
}

int32_t tunnel_settings_plan(const tunnel_config* config, const char* interface_name,
                             tunnel_settings** settings, tunnel_config_issue* issue) {
  return tunnel_settings_plan_for(config, nullptr, interface_name, settings, issue);
}

uint32_t tunnel_settings_mark(const tunnel_settings* settings) {
  return settings == nullptr ? 0 : host::chosen_mark(settings->request, settings->machine);
}
