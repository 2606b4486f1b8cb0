// settings_follow.cpp — the functions of tunnel/host/settings.h for a tunnel that runs.
#include <tunnel/host/settings.h>

#include <algorithm>
#include <string>

#include "host/capi/objects.h"
#include "host/system/system.h"

namespace base = tunnel::base;
namespace host = tunnel::host;

namespace {

constexpr std::size_t kMostChanges = 256;

template <std::size_t Size>
void put(const std::string& text, char (&field)[Size]) {
  field[text.copy(field, Size - 1)] = '\0';
}

void remember(tunnel_settings& settings, std::uint32_t what, const host::StepChange& change) {
  tunnel_settings_change entry = TUNNEL_SETTINGS_CHANGE_INIT;
  entry.what = what;
  entry.kind = static_cast<std::uint32_t>(change.step.index() + 1);
  entry.system = change.answer.error;
  put(step_text(change.step, settings.request.name), entry.text);
  put(change.answer.words, entry.reason);
  if (settings.changes.size() == kMostChanges) settings.changes.pop_front();
  settings.changes.push_back(entry);
}

// Keeps what is new of a round. Returns how it went, in the terms of the pace.
host::Pace::Look judge(tunnel_settings& settings, const std::vector<host::StepChange>& changes) {
  using What = host::StepChange::What;
  host::Pace::Look look;
  std::set<std::string> failing;
  for (const host::StepChange& change : changes) {
    const std::string step = step_json(change.step);
    if (change.what == What::restored) look.restored.push_back(step);
    const bool failed = change.what == What::failed;
    if (failed) failing.insert(step);
    if (failed && settings.failing.count(step) != 0) continue;
    remember(settings, static_cast<std::uint32_t>(change.what) + TUNNEL_CHANGE_ADDED, change);
  }
  look.failed = !failing.empty();
  settings.failing = std::move(failing);
  return look;
}

void tell_fights(tunnel_settings& settings, const std::vector<host::StepChange>& changes,
                 const std::vector<std::string>& fights) {
  for (const host::StepChange& change : changes) {
    const bool fought =
        change.what == host::StepChange::What::restored &&
        std::find(fights.begin(), fights.end(), step_json(change.step)) != fights.end();
    if (fought) remember(settings, TUNNEL_CHANGE_FOUGHT, change);
  }
}

std::int32_t first_failure(const std::vector<host::StepChange>& changes, const std::string& name,
                           tunnel_settings_fault& fault) {
  for (const host::StepChange& change : changes) {
    if (change.what != host::StepChange::What::failed) continue;
    host::put_fault(change.step, name, change.answer, fault);
    return host::status_of(change.answer.error);
  }
  return TUNNEL_OK;
}

// The plan for the machine as it is now.
std::int32_t plan_anew(tunnel_settings& settings, std::vector<host::Step>& wanted) {
  auto machine = host::read_machine();
  if (!machine) return machine.status();
  host::Request& request = settings.request;
  settings.machine = without(*std::move(machine), request.name, settings.applier.taken());
  request.numbers = host::chosen_numbers(request, settings.machine);
  wanted = plan_routing(request, settings.machine);
  if (settings.names) wanted.push_back(*settings.names);
  return TUNNEL_OK;
}

// Looks at the machine, plans anew, and makes the difference. What could not be looked at is looked
// at again in time: nobody may say again that it changed.
std::int32_t look_around(tunnel_settings& settings, tunnel_settings_fault& fault) {
  const auto begin = host::Pace::Clock::now();
  host::Request& request = settings.request;
  if (request.kill_switch && host::take_lifted_sign()) request.kill_switch = false;
  std::vector<host::Step> wanted;
  std::vector<host::StepChange> changes;
  std::int32_t status = plan_anew(settings, wanted);
  if (status == TUNNEL_OK) status = settings.applier.refresh(std::move(wanted), changes);
  if (!changes.empty()) settings.text = text_of(settings.applier.plan());
  host::Pace::Look look = judge(settings, changes);
  look.begin = begin;
  look.end = host::Pace::Clock::now();
  look.failed = look.failed || status != TUNNEL_OK;
  if (settings.watch) tell_fights(settings, changes, settings.watch->looked(look));
  return status != TUNNEL_OK ? status : first_failure(changes, request.name, fault);
}

// Alters the request and follows it. It is kept also when the machine could not be looked at.
template <class Alter>
std::int32_t follow(tunnel_settings* settings, tunnel_settings_fault* fault, Alter&& alter) {
  if (settings == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::with_fault(fault, [&](tunnel_settings_fault& found) {
    alter(settings->request);
    return look_around(*settings, found);
  });
}

}  // namespace

int32_t tunnel_settings_watch(tunnel_settings* settings, int64_t* handle) {
  if (settings == nullptr || handle == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    if (!settings->watch) {
      auto watch = host::Watch::open();
      if (!watch) return watch.status();
      settings->watch.emplace(std::move(*watch));
    }
    *handle = settings->watch->handle();
    return TUNNEL_OK;
  });
}

int32_t tunnel_settings_refresh(tunnel_settings* settings, tunnel_settings_fault* fault) {
  if (settings == nullptr) return TUNNEL_ERR_ARGUMENT;
  const bool early = settings->watch && !settings->watch->due(host::Pace::Clock::now());
  return early ? TUNNEL_OK : follow(settings, fault, [](host::Request&) {});
}

int32_t tunnel_settings_set_endpoints(tunnel_settings* settings, const tunnel_address* endpoints,
                                      size_t count, tunnel_settings_fault* fault) {
  if (settings == nullptr || (endpoints == nullptr && count != 0)) return TUNNEL_ERR_ARGUMENT;
  const host::Request& now = settings->request;
  const bool matters = now.kill_switch || now.scheme == host::Scheme::split;
  if (!matters) return TUNNEL_OK;
  return follow(settings, fault, [&](host::Request& request) {
    request.endpoints.assign(endpoints, endpoints + count);
  });
}

int32_t tunnel_settings_set_peers(tunnel_settings* settings, const tunnel_config* config,
                                  tunnel_settings_fault* fault) {
  if (config == nullptr) return TUNNEL_ERR_ARGUMENT;
  return follow(settings, fault, [&](host::Request& request) {
    request.allowed_ips = host::request_of(config, request.name).allowed_ips;
  });
}

int32_t tunnel_settings_set_mark(tunnel_settings* settings, uint32_t mark,
                                 tunnel_settings_fault* fault) {
  return follow(settings, fault, [&](host::Request& request) { request.mark = mark; });
}

int32_t tunnel_settings_set_port(tunnel_settings* settings, uint16_t port,
                                 tunnel_settings_fault* fault) {
  if (settings == nullptr) return TUNNEL_ERR_ARGUMENT;
  if (!settings->request.server || settings->request.port == port) return TUNNEL_OK;
  return follow(settings, fault, [&](host::Request& request) { request.port = port; });
}

int32_t tunnel_settings_set_resolvers(tunnel_settings* settings, const tunnel_address* resolvers,
                                      size_t count, tunnel_settings_fault* fault) {
  if (resolvers == nullptr && count != 0) return TUNNEL_ERR_ARGUMENT;
  return follow(settings, fault, [&](host::Request& request) {
    request.resolvers.assign(resolvers, resolvers + count);
  });
}

int32_t tunnel_settings_next_change(tunnel_settings* settings, tunnel_settings_change* change) {
  if (settings == nullptr || change == nullptr) return TUNNEL_ERR_ARGUMENT;
  if (settings->changes.empty()) return 0;
  const std::int32_t status = base::write_sized(settings->changes.front(), change);
  if (status != TUNNEL_OK) return status;
  settings->changes.pop_front();
  return 1;
}
