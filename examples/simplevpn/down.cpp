// down.cpp - `down`: as wg-quick does it, PreDown, SaveConfig, the end of the daemon, PostDown.
#include <tunnel/host/control.h>

#include "commands.h"
#include "config_read.h"
#include "hooks.h"
#include "in_force.h"
#include "save.h"
#include "target.h"

namespace simplevpn {
namespace {

// What its file wants done. A tunnel without a readable file can be taken down all the same.
struct Wishes {
  Target target;
  Hooks hooks;
  bool save = false;
};

Wishes read_wishes(const Down& options, const std::string& name, const Output& output) {
  Wishes wishes;
  ConfigHandle config;
  if (options.no_hooks) return wishes;
  if (const auto failure = find_running(options.target, wishes.target)) {
    if (failure->code == "E_FOREIGN_FILE") {
      advise(output, "warning: hooks are not run: " + failure->message + "; " + failure->hint);
    }
    return wishes;
  }
  if (const auto failure = read_config(wishes.target.path, output, config)) {
    advise(output, "warning: hooks are not run: " + failure->message);
    return wishes;
  }
  wishes.hooks = Hooks(config.get(), name);
  wishes.save = saves_itself(config.get());
  return wishes;
}

// A tunnel whose end is ours to bring about. Of one that does not run, or that another user owns,
// no hook is run: stop() says what is wrong.
bool may_stop(const std::string& name) {
  tunnel_snapshot* read = nullptr;
  const std::int32_t status =
      tunnel_snapshot_read(nullptr, name.c_str(), TUNNEL_CONTROL_TIMEOUT_MS, &read);
  const SnapshotHandle snapshot(read);
  return status != TUNNEL_ERR_NOT_FOUND && status != TUNNEL_ERR_PERMISSION;
}

int report_dead(const std::string& name, const InForce& left, const Output& output) {
  if (!left.kill_switch && left.settings == 0) return fail(output, not_running(name));
  advise(output, name + " was not running; what its daemon had left is undone" +
                     (left.kill_switch ? ", and its block is lifted" : ""));
  return kOk;
}

// A daemon that ends, or died, leaves the block; whoever says `down` does not want that either.
int stop(const std::string& name, const Output& output) {
  const std::int32_t result = tunnel_control_stop(nullptr, name.c_str(), TUNNEL_CONTROL_TIMEOUT_MS);
  const InForce left = result == TUNNEL_ERR_NOT_FOUND ? read_in_force(name) : InForce{};
  if (result == TUNNEL_OK || result == TUNNEL_ERR_NOT_FOUND) {
    if (const int exit = unblock(name, output); exit != kOk) return exit;
  }
  if (result == TUNNEL_OK) return kOk;
  if (result == TUNNEL_ERR_NOT_FOUND) {
    if (const int exit = forget_endpoints(name, output); exit != kOk) return exit;
    return report_dead(name, left, output);
  }
  const int exit = result == TUNNEL_ERR_ARGUMENT ? kUsage : kFailure;
  Failure failure = status_failure(output, result, "stop " + name, exit);
  if (result == TUNNEL_ERR_TIMEOUT) {
    failure.exit = kDeactivation;
    failure.hint = "its daemon was told to end but still lives";
  }
  return fail(output, failure);
}

// A hook that fails before the end keeps the tunnel, so that it can be looked at.
int run_hooks(const Wishes& wishes, std::uint32_t kind, const Output& output) {
  auto failure = wishes.hooks.run(kind, output);
  if (!failure) return kOk;
  failure->exit = kind == TUNNEL_HOOK_PRE_DOWN ? kFailure : kDeactivation;
  return fail(output, *failure);
}

}  // namespace

int down(const Down& options, const Output& output) {
  if (options.cleanup) return clean_up(options.target, output);
  if (options.target.empty()) {
    return fail(output, usage_failure("NAME is required", "simplevpn status shows what runs"));
  }
  const std::string name = tunnel_name(options.target);
  if (!may_stop(name)) return stop(name, output);  // removes a dead socket, and says so
  const Wishes wishes = read_wishes(options, name, output);
  int exit = run_hooks(wishes, TUNNEL_HOOK_PRE_DOWN, output);
  if (exit == kOk && wishes.save) exit = save_running(wishes.target, output);
  if (exit == kOk) exit = stop(name, output);
  if (exit != kOk) return exit;
  exit = run_hooks(wishes, TUNNEL_HOOK_POST_DOWN, output);
  if (exit == kOk) advise(output, name + " is down");
  return exit;
}

}  // namespace simplevpn
