// objects.h — what the opaque handles of tunnel/host/*.h are.
#pragma once

#include <tunnel/host/config.h>

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/config/config.h"
#include "host/control/control.h"
#include "host/routing/routing.h"
#include "host/settings/settings.h"

struct tunnel_config {
  tunnel::host::Config content;
};

struct tunnel_snapshot {
  tunnel::host::Snapshot content;
};

struct tunnel_settings {
  tunnel::host::Applier applier;
  tunnel::host::Request request;  // what the plan was made of
  tunnel::host::Machine machine;  // without the tunnel
  std::string text;               // of the plan
  std::optional<tunnel::host::ResolverStep> names{};
  std::optional<std::vector<bool>> in_force{};  // per step; of what was recalled from a journal

  std::optional<tunnel::host::Watch> watch{};
  std::deque<tunnel_settings_change> changes{};  // not taken out yet
  std::set<std::string> failing{};  // steps that could not be taken at the last attempt

  bool applied(std::size_t index) const {
    return in_force ? (*in_force)[index] : applier.applied(index);
  }
};

namespace tunnel::host {

// Where journals are kept, unless the caller says so.
inline constexpr const char* kJournals = "/var/lib/simplevpn";

inline const char* journals_or_default(const char* directory) {
  return directory == nullptr ? kJournals : directory;
}

// The steps of a plan as commands, one after the other.
std::string text_of(const Plan& plan);

// Hands an answer's fault to the caller when something failed. Any exception becomes a status.
template <class Work>
std::int32_t with_fault(tunnel_settings_fault* fault, Work&& work) {
  return guarded([&]() -> std::int32_t {
    tunnel_settings_fault found = TUNNEL_SETTINGS_FAULT_INIT;
    const std::int32_t status = work(found);
    if (status != TUNNEL_OK && fault != nullptr) {
      if (base::write_sized(found, fault) != TUNNEL_OK) return TUNNEL_ERR_ARGUMENT;
    }
    return status;
  });
}

}  // namespace tunnel::host
