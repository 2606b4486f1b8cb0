// applier.h — applies a plan and undoes it. Everything done is remembered, nothing else is undone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/settings/netlink.h"
#include "host/settings/plan.h"

namespace tunnel::host {

class Applier {
 public:
  explicit Applier(Plan plan);

  const Plan& plan() const noexcept { return plan_; }
  bool applied(std::size_t index) const noexcept { return done_[index]; }

  // Applies every step, or none: a failure undoes what was done.
  std::int32_t apply(tunnel_settings_fault& fault);
  // Undoes in reverse; goes on after a failure and reports the first one.
  std::int32_t undo(tunnel_settings_fault& fault);

 private:
  std::int32_t begin(tunnel_settings_fault& fault);
  std::optional<Answer> change(Netlink& netlink, const Step& step);
  Answer revert(Netlink& netlink, const Step& step);
  void report(std::size_t index, const Answer& answer, tunnel_settings_fault& fault) const;

  Plan plan_;
  std::vector<bool> done_;   // per step: in force through us
  std::uint32_t index_ = 0;  // of the interface when the plan was applied
  LinkState before_;         // state of the interface before that
};

}  // namespace tunnel::host
