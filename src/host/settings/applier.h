// applier.h — applies a plan and undoes it. Everything done is remembered, nothing else is undone.
#pragma once

#include <tunnel/host/settings.h>

#include <optional>
#include <string>
#include <vector>

#include "host/settings/changes.h"
#include "host/settings/plan.h"

namespace tunnel::host {

class Applier {
 public:
  explicit Applier(Plan plan);

  const Plan& plan() const noexcept { return plan_; }
  bool applied(std::size_t index) const noexcept { return done_[index].has_value(); }

  // Applies every step, or none: a failure undoes what was done.
  std::int32_t apply(tunnel_settings_fault& fault);
  // Undoes in reverse; goes on after a failure and reports the first one.
  std::int32_t undo(tunnel_settings_fault& fault);

 private:
  struct Done {
    Step step;  // settled
    std::string before;
  };

  std::int32_t begin(const Tools& tools, tunnel_settings_fault& fault) const;
  Answer take(Tools& tools, std::size_t index);
  void report(std::size_t index, const Answer& answer, tunnel_settings_fault& fault) const;

  Plan plan_;
  std::vector<std::optional<Done>> done_;  // per step: in force through us
};

}  // namespace tunnel::host
