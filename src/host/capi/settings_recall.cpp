// settings_recall.cpp — the functions of tunnel/host/settings.h that say what is in force.
#include <tunnel/host/dns.h>
#include <tunnel/host/settings.h>

#include <algorithm>
#include <string>
#include <vector>

#include "host/capi/objects.h"
#include "host/system/system.h"

namespace base = tunnel::base;
namespace host = tunnel::host;

namespace {

// Of the rule that takes everything but our own datagrams.
std::uint32_t mark_of(const host::Plan& plan) {
  for (const host::Step& step : plan.steps) {
    const auto* rule = std::get_if<host::RuleStep>(&step);
    if (rule != nullptr && rule->not_mark && rule->mark) return *rule->mark;
  }
  return 0;
}

std::int32_t recall(const std::string& directory, const std::string& name,
                    tunnel_settings** settings) {
  auto records = host::peek_journal(directory, name);
  if (!records) return records.status();
  auto machine = host::read_machine();
  if (!machine) return machine.status();
  auto tools = host::Tools::open(name);
  if (!tools) return tools.status();
  host::Plan plan{name, {}};
  std::vector<bool> in_force;
  for (host::Record& record : *records) {
    in_force.push_back(host::is_in_force(*tools, record.step, record.before));
    plan.steps.push_back(std::move(record.step));
  }
  host::Request request;
  request.name = name;
  request.mark = mark_of(plan);
  std::string text = text_of(plan);
  *settings = new tunnel_settings{host::Applier(std::move(plan)),
                                  std::move(request),
                                  *std::move(machine),
                                  std::move(text),
                                  {},
                                  std::move(in_force)};
  return TUNNEL_OK;
}

// ---- what steps come to

// What packets of others pass through; a kernel setting that was right before is in no journal.
bool translates(const host::TableStep& table) {
  return table.body.find(" masquerade") != std::string::npos;
}

// A half of everything that goes into the tunnel: its routes are in no journal.
bool has_halves(const tunnel_settings& settings) {
  const auto& routes = settings.machine.routes;
  return std::any_of(routes.begin(), routes.end(), [&](const host::Route& route) {
    return route.device == settings.applier.plan().interface_name && route.prefix.length == 1 &&
           route.table == host::kMainTable;
  });
}

void add(const host::RuleStep& rule, tunnel_settings_summary& summary) {
  const bool all_but_default = rule.suppress_prefixlength == 0u && !rule.to;
  if (all_but_default) summary.scheme = TUNNEL_SCHEME_WG_QUICK;
  const bool known = summary.scheme != TUNNEL_SCHEME_NONE;
  if (rule.not_mark && !known) summary.scheme = TUNNEL_SCHEME_STRICT;
}

void add(const host::Step& step, tunnel_settings_summary& summary) {
  if (const auto* rule = std::get_if<host::RuleStep>(&step)) add(*rule, summary);
  if (const auto* table = std::get_if<host::TableStep>(&step); table != nullptr) {
    if (table->survives) summary.flags |= TUNNEL_SETTINGS_KILL_SWITCH;
    if (translates(*table)) summary.flags |= TUNNEL_SETTINGS_SERVER;
  }
  if (const auto* names = std::get_if<host::ResolverStep>(&step)) {
    summary.dns_backend = TUNNEL_DNS_RESOLVED + static_cast<std::uint32_t>(names->backend);
  }
}

}  // namespace

int32_t tunnel_settings_list(const char* directory, char (*names)[16], size_t max, size_t* count) {
  if (count == nullptr || (names == nullptr && max != 0)) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    const std::vector<std::string> found =
        host::journal_names(host::journals_or_default(directory));
    for (std::size_t i = 0; i < std::min(found.size(), max); ++i) {
      *std::copy(found[i].begin(), found[i].end(), names[i]) = '\0';
    }
    *count = found.size();
    return TUNNEL_OK;
  });
}

int32_t tunnel_settings_recall(const char* directory, const char* name,
                               tunnel_settings** settings) {
  if (name == nullptr || settings == nullptr) return TUNNEL_ERR_ARGUMENT;
  *settings = nullptr;
  return host::guarded(
      [&] { return recall(host::journals_or_default(directory), name, settings); });
}

int32_t tunnel_settings_summarize(const tunnel_settings* settings, tunnel_settings_summary* out) {
  if (settings == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    tunnel_settings_summary summary = TUNNEL_SETTINGS_SUMMARY_INIT;
    summary.scheme = TUNNEL_SCHEME_NONE;
    const host::Plan& plan = settings->applier.plan();
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
      if (settings->applied(i)) add(plan.steps[i], summary);
    }
    if (has_halves(*settings)) summary.scheme = TUNNEL_SCHEME_SPLIT;
    return base::write_sized(summary, out);
  });
}
