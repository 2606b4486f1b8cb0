// settings.cpp — the functions of tunnel/host/settings.h.
#include <tunnel/host/settings.h>

#include <algorithm>
#include <memory>
#include <string>

#include "host/capi/objects.h"
#include "host/control/control.h"
#include "host/settings/settings.h"
#include "host/system/system.h"

namespace base = tunnel::base;
namespace host = tunnel::host;

namespace {

// Whoever runs holds the lock of its journal.
bool lives(const std::string& directory, const std::string& name) {
  std::string words;
  return !name.empty() &&
         host::Journal::open(directory, name, host::Journal::Missing::error, words).status() ==
             TUNNEL_ERR_IN_USE;
}

// Those who keep their journals elsewhere keep their sockets elsewhere, too. The journal goes last:
// by it the next one finds what we did not finish.
std::int32_t clean_up_one(const std::string& directory, const std::string& name, host::Block block,
                          tunnel_settings_fault& fault) {
  std::int32_t socket = TUNNEL_OK;
  if (directory == host::kJournals) {
    socket = host::remove_dead_socket(host::kSocketDirectory, name);
  }
  const std::int32_t status = host::clean_up(directory, name, block, fault);
  return status != TUNNEL_OK ? status : socket;
}

std::int32_t clean_up(const char* directory, const char* name, host::Block block,
                      tunnel_settings_fault* fault) {
  if (name != nullptr && !host::is_tunnel_name(name)) return TUNNEL_ERR_ARGUMENT;
  const std::string where = host::journals_or_default(directory);
  return host::with_fault(fault, [&](tunnel_settings_fault& found) {
    if (name != nullptr) return clean_up_one(where, name, block, found);
    std::int32_t first = TUNNEL_OK;
    for (const std::string& each : host::journal_names(where)) {
      tunnel_settings_fault its = TUNNEL_SETTINGS_FAULT_INIT;
      const std::int32_t status = clean_up_one(where, each, block, its);
      if (status == TUNNEL_OK || status == TUNNEL_ERR_IN_USE || first != TUNNEL_OK) continue;
      first = status;
      found = its;
    }
    return first;
  });
}

}  // namespace

void tunnel_settings_destroy(tunnel_settings* settings) {
  delete settings;
}

size_t tunnel_settings_count(const tunnel_settings* settings) {
  return settings == nullptr ? 0 : settings->applier.plan().steps.size();
}

int32_t tunnel_settings_get(const tunnel_settings* settings, size_t index, tunnel_setting* out) {
  if (settings == nullptr) return TUNNEL_ERR_ARGUMENT;
  const host::Plan& plan = settings->applier.plan();
  if (index >= plan.steps.size()) return TUNNEL_ERR_NOT_FOUND;
  return host::guarded([&]() -> std::int32_t {
    const host::Step& step = plan.steps[index];
    tunnel_setting value = TUNNEL_SETTING_INIT;
    value.kind = static_cast<std::uint32_t>(step.index() + 1);
    value.applied = settings->applied(index) ? 1 : 0;
    if (const auto* mtu = std::get_if<host::MtuStep>(&step)) value.value = mtu->mtu;
    if (const auto* own = std::get_if<host::AddressStep>(&step)) value.prefix = own->address;
    if (const auto* route = std::get_if<host::RouteStep>(&step)) value.prefix = route->prefix;
    const std::string text = host::step_text(step, plan.interface_name);
    std::copy_n(text.data(), std::min(text.size(), sizeof(value.text) - 1), value.text);
    return base::write_sized(value, out);
  });
}

const char* tunnel_settings_text(const tunnel_settings* settings) {
  return settings == nullptr ? "" : settings->text.c_str();
}

int32_t tunnel_settings_open_journal(tunnel_settings* settings, const char* directory,
                                     tunnel_settings_fault* fault) {
  if (settings == nullptr) return TUNNEL_ERR_ARGUMENT;
  if (settings->in_force) return TUNNEL_ERR_STATE;
  return host::with_fault(fault, [&](tunnel_settings_fault& found) {
    return settings->applier.open_journal(host::journals_or_default(directory), found);
  });
}

int32_t tunnel_settings_apply(tunnel_settings* settings, tunnel_settings_fault* fault) {
  if (settings == nullptr) return TUNNEL_ERR_ARGUMENT;
  if (settings->in_force) return TUNNEL_ERR_STATE;
  return host::with_fault(
      fault, [&](tunnel_settings_fault& found) { return settings->applier.apply(found); });
}

int32_t tunnel_settings_undo(tunnel_settings* settings, tunnel_settings_fault* fault) {
  if (settings == nullptr) return TUNNEL_ERR_ARGUMENT;
  if (settings->in_force) return TUNNEL_ERR_STATE;
  settings->watch.reset();
  return host::with_fault(
      fault, [&](tunnel_settings_fault& found) { return settings->applier.undo(found); });
}

int32_t tunnel_settings_cleanup(const char* directory, const char* name,
                                tunnel_settings_fault* fault) {
  return clean_up(directory, name, host::Block::kept, fault);
}

int32_t tunnel_settings_unblock(const char* directory, const char* name,
                                tunnel_settings_fault* fault) {
  const std::int32_t status = clean_up(directory, name, host::Block::lifted, fault);
  if (name != nullptr) return status;
  // Also the block of a tunnel that lives, and one that no journal knows of.
  const std::int32_t lifted = host::with_fault(fault, [&](tunnel_settings_fault& found) {
    const std::string where = host::journals_or_default(directory);
    const host::Answer answer = host::lift_block(lives(where, host::block_holder()));
    if (answer.error == 0) return static_cast<std::int32_t>(TUNNEL_OK);
    found.system = answer.error;
    host::put_message(answer.words.empty() ? host::text_of(answer.error) : answer.words, found);
    return host::status_of(answer.error);
  });
  return status == TUNNEL_OK ? lifted : status;
}
