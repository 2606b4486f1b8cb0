// changes.h — looks at, changes and restores the machine for one step: three functions for each
// kind. Nobody changes the machine in another way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>

#include "base/base.h"
#include "host/settings/netlink.h"
#include "host/settings/nft.h"
#include "host/step/step.h"
#include "host/system/system.h"

namespace tunnel::host {

// What the changes are made with.
struct Tools {
  Netlink netlink;
  std::uint32_t index;       // of the tunnel's interface, 0 when it is not there
  std::optional<Nft> nft{};  // opened when first needed

  static base::Result<Tools> open(const std::string& interface_name);
};

// What is found before a step is taken.
struct Look {
  Answer answer{};       // an error: the step cannot be taken
  bool needed = true;    // false when it is so already, and therefore not ours to undo
  std::string before{};  // what undo needs to know
};

// Fills in what would be left to the kernel, so that the very same is undone. Changes nothing.
Step settled(Tools& tools, Step step);

// Changes nothing.
Look look(Tools& tools, const Step& step);

// `before` as look() has found it.
Answer take(Tools& tools, const Step& step, const std::string& before);

// What is seen of a step that is in force, to be compared later: the text of a table. "" for most.
std::string sight(Tools& tools, const Step& step);

// What is in force now of what our steps make, read at once.
class Present {
 public:
  Answer read(Tools& tools);
  // True when a step that is in force through us still is. `seen` = its sight() after it was taken.
  bool has(Tools& tools, const Step& step, const std::string& seen) const;

 private:
  std::unordered_set<std::string> steps_;  // addresses, routes and rules
};

// Takes a step in the place of another one: of the same table, or to the same prefix.
Answer swap_steps(Tools& tools, const Step& now, const Step& wanted);

// Brings back what `before` says where the machine is still as `take` left it, and leaves alone
// what somebody else has changed. What is gone is no error.
Answer undo(Tools& tools, const Step& step, const std::string& before);

// Whether the machine is still as `take` left it. What cannot be asked counts as in force. Changes
// nothing.
bool is_in_force(Tools& tools, const Step& step, const std::string& before);

// Removes the block, whoever has it. No error when there is none.
// For the daemon of the tunnel that the block is of, if it lives, a sign stays that this was meant.
Answer lift_block(bool holder_lives);
// The tunnel whose block there is; "" = none, or it does not say.
std::string block_holder();
// For that daemon: true when the sign is there, which it then no longer is.
bool take_lifted_sign();

// ---- by kind: link_changes.cpp, routing_changes.cpp, sysctl.cpp, filter_changes.cpp,
// resolver_changes.cpp

Look look_at(Tools& tools, const MtuStep& step);
Look look_at(Tools& tools, const AddressStep& step);
Look look_at(Tools& tools, const UpStep& step);
Look look_at(Tools& tools, const RouteStep& step);
Look look_at(Tools& tools, const RuleStep& step);
Look look_at(Tools& tools, const SysctlStep& step);
Look look_at(Tools& tools, const TableStep& step);
Look look_at(Tools& tools, const ForeignRuleStep& step);
Look look_at(Tools& tools, const ResolverStep& step);

Answer change(Tools& tools, const MtuStep& step, const std::string& before);
Answer change(Tools& tools, const AddressStep& step, const std::string& before);
Answer change(Tools& tools, const UpStep& step, const std::string& before);
Answer change(Tools& tools, const RouteStep& step, const std::string& before);
Answer change(Tools& tools, const RuleStep& step, const std::string& before);
Answer change(Tools& tools, const SysctlStep& step, const std::string& before);
Answer change(Tools& tools, const TableStep& step, const std::string& before);
Answer change(Tools& tools, const ForeignRuleStep& step, const std::string& before);
Answer change(Tools& tools, const ResolverStep& step, const std::string& before);

Answer restore(Tools& tools, const MtuStep& step, const std::string& before);
Answer restore(Tools& tools, const AddressStep& step, const std::string& before);
Answer restore(Tools& tools, const UpStep& step, const std::string& before);
Answer restore(Tools& tools, const RouteStep& step, const std::string& before);
Answer restore(Tools& tools, const RuleStep& step, const std::string& before);
Answer restore(Tools& tools, const SysctlStep& step, const std::string& before);
Answer restore(Tools& tools, const TableStep& step, const std::string& before);
Answer restore(Tools& tools, const ForeignRuleStep& step, const std::string& before);
Answer restore(Tools& tools, const ResolverStep& step, const std::string& before);

}  // namespace tunnel::host
