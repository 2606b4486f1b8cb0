// launch.cpp - `up`: in the foreground, or in the background once the tunnel works.
//
// Hooks are this command's: PreUp when the interface is there and has no addresses yet, PostUp when
// everything works, as with wg-quick. A tunnel whose PreUp or PostUp failed does not stay. In the
// background the daemon is a child that asks for each and waits; only the parent runs commands.
#include <sys/wait.h>
#include <tunnel/host/control.h>

#include <cerrno>

#include "background.h"
#include "commands.h"
#include "config_read.h"
#include "daemon.h"
#include "format.h"
#include "handles.h"
#include "hooks.h"
#include "in_force.h"
#include "save.h"
#include "status.h"
#include "target.h"

namespace simplevpn {
namespace {

constexpr unsigned char kInterfaceMade = 255;  // the child's first word; no exit status is as large

Level lowest_level(const Up& options) {
  if (options.verbosity < 0) return Level::warning;
  return options.verbosity == 0 ? Level::info : Level::debug;
}

// What `up` needs of a file beside what the daemon reads itself.
struct Launch {
  const Up& options;
  const Target& target;
  const Output& output;
  Hooks hooks;
  bool save = false;  // SaveConfig

  [[nodiscard]] int run_hooks(std::uint32_t kind) const {
    const auto failure = hooks.run(kind, output);
    return failure ? fail(output, *failure) : kOk;
  }
};

// ---- in the foreground ----

// Before a signal takes the tunnel down. It ends in any case.
void prepare_end(const Launch& launch) {
  static_cast<void>(launch.run_hooks(TUNNEL_HOOK_PRE_DOWN));
  if (launch.save) static_cast<void>(save_running(launch.target, launch.output));
}

int print_plan(const Launch& launch) {
  Log log(launch.target.name, launch.options.json_log, lowest_level(launch.options));
  return Daemon(launch.target, launch.output, log).print_plan();
}

int run_foreground(const Launch& launch) {
  Log log(launch.target.name, launch.options.json_log, lowest_level(launch.options));
  bool ended_by_signal = false;
  Daemon daemon(launch.target, launch.output, log);
  daemon.on_interface([&] { return launch.run_hooks(TUNNEL_HOOK_PRE_UP); });
  daemon.on_signal([&] {
    ended_by_signal = true;
    prepare_end(launch);
  });
  int exit = daemon.start();
  if (exit != kOk) return exit;
  exit = launch.run_hooks(TUNNEL_HOOK_POST_UP);
  if (exit != kOk) return daemon.take_back() == kOk ? exit : kDeactivation;
  exit = daemon.run();
  // `down` runs the rest itself.
  if (ended_by_signal && launch.run_hooks(TUNNEL_HOOK_POST_DOWN) != kOk) exit = kDeactivation;
  return exit;
}

// ---- in the background: the child ----

// Starts the tunnel, tells the parent how that went, and goes on by itself if that is content.
int run_child(const Launch& launch, int parent) {
  Log log(launch.target.name, launch.options.json_log, lowest_level(launch.options));
  Daemon daemon(launch.target, launch.output, log);
  daemon.on_interface([&]() -> int {
    if (!say(parent, kInterfaceMade)) return kInterrupted;
    return hear(parent).value_or(kInterrupted);
  });
  const int exit = daemon.start();
  say_started(exit, log, parent);
  return exit == kOk ? daemon.run(parent) : exit;
}

// ---- in the background: the parent ----

// A name may be mistyped, or not known yet; the daemon goes on asking.
void warn_of_names(const std::string& name, const Output& output) {
  tunnel_snapshot* read = nullptr;
  static_cast<void>(tunnel_snapshot_read(nullptr, name.c_str(), TUNNEL_CONTROL_TIMEOUT_MS, &read));
  const SnapshotHandle snapshot(read);
  tunnel_snapshot_peer peer = TUNNEL_SNAPSHOT_PEER_INIT;
  for (std::size_t i = 0; tunnel_snapshot_get_peer(read, i, &peer) == TUNNEL_OK; ++i) {
    if (peer.not_resolved[0] == '\0') continue;
    advise(output, std::string("warning: no address of ") + peer.not_resolved +
                       "; it is asked for again and again");
  }
}

// The daemon takes back what it started when it hears of a failure, and ends.
std::optional<int> finish(const Launch& launch, pid_t child, int other) {
  const SignalsHeld held;
  const int exit = launch.run_hooks(TUNNEL_HOOK_POST_UP);
  const bool said = say(other, static_cast<unsigned char>(exit));
  if (exit == kOk) {
    if (!said || hear(other) != kOk) return {};
    advise(launch.output, launch.target.name + " is up");
    warn_of_names(launch.target.name, launch.output);
    return kOk;
  }
  int result = 0;
  while (waitpid(child, &result, 0) < 0 && errno == EINTR) continue;
  const bool left = WIFEXITED(result) && WEXITSTATUS(result) == kDeactivation;
  return left ? kDeactivation : exit;
}

std::optional<int> wait_for_child(const Launch& launch, pid_t child, int other) {
  auto word = hear(other);
  if (word == kInterfaceMade) {
    const int exit = launch.run_hooks(TUNNEL_HOOK_PRE_UP);
    word = say(other, static_cast<unsigned char>(exit)) ? hear(other) : std::nullopt;
  }
  return word == kOk ? finish(launch, child, other) : std::optional<int>(word);
}

int run_background(const Launch& launch) {
  Halves halves;
  halves.child = [&](int parent) { return run_child(launch, parent); };
  halves.parent = [&](pid_t child, int other) { return wait_for_child(launch, child, other); };
  return simplevpn::run_background(launch.target.name, launch.output, halves);
}

// Before anything is changed, and before the process has a child.
std::optional<Failure> read_file(Launch& launch) {
  ConfigHandle config;
  if (auto failure = read_config(launch.target.path, launch.output, config)) return failure;
  if (launch.options.no_hooks) return {};
  launch.hooks = Hooks(config.get(), launch.target.name);
  launch.save = saves_itself(config.get());
  return {};
}

// A block that a former daemon of this tunnel left goes on: only `down` and `unblock` lift it, and
// without a daemon that keeps it up to date it would let nothing of ours pass either.
void keep_block(Target& target, const Output& output) {
  Routing& routing = target.routing;
  if (routing.kill_switch || !read_in_force(target.name).kill_switch) return;
  routing.kill_switch = true;
  routing.split = false;
  advise(output, "the kill switch of " + target.name +
                     " is still in force and goes on; simplevpn down " + target.name + " lifts it");
}

// It is in the way of this tunnel, which would be up and carry nothing, and its own start undoes
// only its own.
void warn_of_leftovers(const std::string& name, const Output& output) {
  std::vector<std::string> running;
  if (list_tunnels(running) != TUNNEL_OK) return;
  running.push_back(name);  // soon
  for (const std::string& line : left_lines(read_leftovers(running))) {
    advise(output, "warning: " + line);
  }
}

}  // namespace

int up(const Up& options, const Output& output) {
  if (options.config.empty() && !options.plain.chosen) {
    return fail(output, usage_failure("CONF is required",
                                      "simplevpn init server|client writes a configuration"));
  }
  Target target;
  auto failure = options.plain.chosen ? make_plain_target(options, target)
                                      : find_target(options.config, target);
  static_cast<void>(tunnel_dns_backend_from_name(options.dns_backend.c_str(), &target.dns_backend));
  if (!options.dry_run && options.routing.needs_consent()) {
    return fail(output, {.exit = kUsage,
                         .code = "E_SSH",
                         .message = "the kill switch would cut this ssh session",
                         .hint = "--yes if that is meant; --lan keeps hosts of the local network"});
  }
  target.routing = options.routing;
  target.data_path = options.data_path;
  if (!failure) keep_block(target, output);
  Launch launch{options, target, output, {}};
  if (!failure && !options.plain.chosen) failure = read_file(launch);
  if (failure) return fail(output, *failure);
  if (options.dry_run) return print_plan(launch);
  warn_of_leftovers(target.name, output);
  if (options.foreground) return run_foreground(launch);
  const int exit = run_background(launch);
  if (exit != kOk || options.wait_s <= 0) return exit;
  return status({.target = target.name, .check = "handshake", .wait_s = options.wait_s}, output);
}

}  // namespace simplevpn
