// applier.h — applies a plan and undoes it. Everything done is remembered, nothing else is undone.
#pragma once

#include <tunnel/host/settings.h>

#include <optional>
#include <string>
#include <vector>

#include "host/settings/changes.h"
#include "host/settings/journal.h"
#include "host/settings/plan.h"

namespace tunnel::host {

class Applier {
 public:
  explicit Applier(Plan plan);

  const Plan& plan() const noexcept { return plan_; }
  bool applied(std::size_t index) const noexcept { return done_[index].has_value(); }

  // From here on every step is journalled, and the journal is ours until the end. Undoes what a
  // process that died has left in it, all but the block: applying replaces that.
  std::int32_t open_journal(const std::string& directory, tunnel_settings_fault& fault);

  // Applies every step, or none: a failure undoes what was done.
  std::int32_t apply(tunnel_settings_fault& fault);
  // Undoes in reverse, all but the block; goes on after a failure and reports the first one.
  std::int32_t undo(tunnel_settings_fault& fault);
  // Puts a table in the place of the one of that name, which is in force through us.
  std::int32_t replace(const TableStep& table, tunnel_settings_fault& fault);

 private:
  struct Done {
    Step step;  // settled
    std::string before;
    std::uint64_t record = 0;  // in the journal, 0 = none
    bool replaced = false;     // a block that was there before
  };
  enum class Why : std::uint8_t { asked, failed };

  std::int32_t begin(const Tools& tools, tunnel_settings_fault& fault) const;
  bool is_journalled(const Step& step) const;
  const Record* block_left(const Step& step) const;
  Answer take(Tools& tools, std::size_t index);
  Answer take_journalled(Tools& tools, Done& done, const Record* left);
  std::int32_t undo(Tools& tools, Why why, tunnel_settings_fault& fault);
  Answer undo_one(Tools& tools, Done& done, Why why);

  Plan plan_;
  std::vector<std::optional<Done>> done_;  // per step: in force through us
  std::optional<Journal> journal_;
};

}  // namespace tunnel::host
