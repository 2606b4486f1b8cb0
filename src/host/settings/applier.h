// applier.h — applies a plan, keeps it applied, follows it when it changes, and undoes it.
// Everything done is remembered, nothing else is undone.
#pragma once

#include <tunnel/host/settings.h>

#include <optional>
#include <string>
#include <vector>

#include "host/settings/changes.h"
#include "host/settings/difference.h"
#include "host/settings/journal.h"
#include "host/settings/plan.h"

namespace tunnel::host {

// What refresh() found or did about a step.
struct StepChange {
  enum class What : std::uint8_t {
    added,     // the plan asks for it now
    removed,   // the plan asks for it no longer
    restored,  // somebody else had taken it away, or altered it
    failed,    // it is wanted and could not be had
  };
  What what;
  Step step;
  Answer answer{};  // why it failed
};

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

  // What is in force through us.
  std::vector<TakenStep> taken() const;
  // Makes these steps the plan: takes what is new or was taken away by others, undoes what is no
  // longer wanted, in the order of difference(). Goes on after a failure, and what failed is tried
  // again by the next call. STATE when nothing is applied; without the interface it does nothing.
  std::int32_t refresh(std::vector<Step> wanted, std::vector<StepChange>& changes);

 private:
  struct Done {
    Step step;  // settled
    std::string before;
    std::uint64_t record = 0;  // in the journal, 0 = none
    bool replaced = false;     // a block that was there before
    std::string seen{};        // sight() of it
  };
  struct Round;  // of refresh()
  enum class Why : std::uint8_t {
    asked,     // to stop
    failed,    // to start
    unwanted,  // by the plan, which goes on
  };

  std::int32_t begin(const Tools& tools, tunnel_settings_fault& fault) const;
  bool is_journalled(const Step& step) const;
  const Record* block_left(const Step& step) const;
  bool is_shared(const Step& step, Look& found) const;
  Answer take(Tools& tools, const Step& planned, std::optional<Done>& into);
  // `make` makes it true on the machine; the record `old`, of what it replaces, then ends.
  template <class Make>
  Answer take_journalled(Done& done, std::uint64_t old, Make&& make);
  void give_up(Tools& tools, const Done& done, const Answer& why);
  Answer take_again(Tools& tools, Done& done);
  Answer take_instead(Tools& tools, const Done& now, const Step& wanted, std::optional<Done>& into);
  void work_off(const Todo& todo, Round& round);
  void keep(Done& done, Round& round);
  void undo_left_over(std::optional<Done>& done, Round& round);
  void adopt(const std::vector<Todo>& todos, Round& round);
  std::int32_t undo(Tools& tools, Why why, tunnel_settings_fault& fault);
  Answer undo_one(Tools& tools, Done& done, Why why);

  Plan plan_;
  std::vector<std::optional<Done>> done_;  // per step: in force through us
  std::optional<Journal> journal_;
  bool in_force_ = false;  // apply() has succeeded, and undo() was not called since
};

}  // namespace tunnel::host
