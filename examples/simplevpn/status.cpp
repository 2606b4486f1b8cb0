// status.cpp - `status`: shows the tunnels once or again and again, or checks them.
#include "status.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "commands.h"
#include "format.h"
#include "interrupt.h"
#include "target.h"

namespace simplevpn {
namespace {

constexpr int kWaitStep_ms = 200;  // between two looks of --wait

int milliseconds(double seconds) {
  return static_cast<int>(std::clamp(seconds * 1000, 0.0, 1e9));
}

class StatusCommand {
 public:
  StatusCommand(const Status& options, const Output& output)
      : options_(options), output_(output), name_(tunnel_name(options.target)) {}

  int run() {
    if (options_.watch_s > 0) return watch();
    if (!options_.check.empty()) return check();
    if (const int exit = look(); exit != kOk) return exit;
    show(output_.json ? status_json(overview_, 2) : table());
    if (is_empty() && !output_.json) advise(output_, "no tunnel is running");
    return exit_status();
  }

 private:
  bool is_empty() const {
    return overview_.tunnels.empty() && overview_.unread.empty() && overview_.left.empty();
  }

  // Of what was shown.
  int exit_status() const {
    if (!overview_.left.empty()) return kNotRunning;
    if (overview_.unread.empty()) return kOk;
    const bool late = overview_.unread.front().result == TUNNEL_ERR_TIMEOUT;
    return late ? kTimeout : kFailure;
  }

  // Reads what is to be shown; returns the exit status of a failure that was reported.
  int look() {
    std::vector<std::string> names{name_};
    if (name_.empty()) names.clear();
    const std::int32_t listed = name_.empty() ? list_tunnels(names) : TUNNEL_OK;
    if (listed != TUNNEL_OK) {
      return fail(output_, status_failure(output_, listed, "list the tunnels", kFailure));
    }
    overview_.tunnels.clear();
    overview_.unread.clear();
    for (Reading& reading : read_statuses(names, patience_ms_)) {
      if (const int exit = take(reading); exit != kOk) return exit;
    }
    if (name_.empty()) overview_.left = read_leftovers(names);
    return options_.peer.empty() ? kOk : select_peer();
  }

  // Of several, one that cannot be asked is shown as such, and does not hide the others.
  int take(Reading& reading) {
    const bool ended_meanwhile = name_.empty() && reading.result == TUNNEL_ERR_NOT_FOUND;
    if (ended_meanwhile) return kOk;
    if (reading.result == TUNNEL_OK) {
      overview_.tunnels.push_back(std::move(reading.status));
    } else if (name_.empty() && reading.result != TUNNEL_ERR_PERMISSION) {
      overview_.unread.push_back({reading.name, reading.result});
    } else {
      return refuse(reading.result, reading.name);
    }
    return kOk;
  }

  int select_peer() {
    bool found = false;
    for (TunnelStatus& tunnel : overview_.tunnels) {
      std::erase_if(tunnel.peers,
                    [&](const auto& peer) { return !is_called(peer, options_.peer); });
      found = found || !tunnel.peers.empty();
    }
    if (found || !overview_.unread.empty()) return kOk;  // it may be there
    return refused({.exit = kNoSuch,
                    .code = "E_NO_SUCH_PEER",
                    .message = "no peer is called " + options_.peer,
                    .hint = "simplevpn status shows names and public keys"});
  }

  int refuse(std::int32_t result, const std::string& name) {
    if (result == TUNNEL_ERR_NOT_FOUND) return refused(why_not_running(name));
    int exit = result == TUNNEL_ERR_TIMEOUT ? kTimeout : kFailure;
    if (result == TUNNEL_ERR_ARGUMENT) exit = kUsage;
    return refused(status_failure(output_, result, "ask the daemon of " + name, exit));
  }

  static Failure why_not_running(const std::string& name) {
    Failure failure = not_running(name);
    failure.hint = "simplevpn up " + shell_quoted(name) + " starts it";
    const InForce in_force = read_in_force(name);
    if (in_force.kill_switch) {
      failure.message = left_block_text(name);
      failure.hint = "simplevpn unblock " + shell_quoted(name) +
                     " lifts the block; a new start of the tunnel takes it over";
    } else if (in_force.settings != 0) {
      failure.message = left_over_text(name);
      failure.hint = undo_command(name) + " undoes it; so does a new start of the tunnel";
    }
    return failure;
  }

  // While it waits, and once it has shown something, a command says by itself what it makes of it.
  int refused(const Failure& failure) {
    failure_ = failure;
    return silent_ ? failure.exit : fail(output_, failure);
  }

  // ---- once, or again and again ----

  std::string table() const {
    std::string text;
    const auto add = [&](const std::string& paragraph) {
      if (!text.empty()) text += '\n';
      text += paragraph;
    };
    for (const TunnelStatus& tunnel : overview_.tunnels) add(status_table(tunnel, output_.color));
    for (const Unread& unread : overview_.unread) add(unread_text(unread) + "\n");
    for (const std::string& line : left_lines(overview_.left)) add(line + "\n");
    return text;
  }

  static void show(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

  // Over what stood there before, without the flicker of clearing the screen first.
  static void redraw(const std::string& text) {
    std::string lines = "\033[H";
    for (const char c : text) lines += c == '\n' ? std::string("\033[K\n") : std::string(1, c);
    show(lines + "\033[J");
  }

  int watch() {
    const Interrupt interrupt;
    const bool terminal = isatty(STDOUT_FILENO) != 0 && !output_.json;
    for (bool first = true;; first = false) {
      if (const int exit = look(); exit != kOk) return first ? exit : ended();
      silent_ = true;
      if (first && terminal) show("\033[2J");
      if (terminal) redraw(table().empty() ? "no tunnel is running\n" : table());
      if (!terminal)
        show(output_.json ? status_json(overview_, -1) : (first ? "" : "\n") + table());
      if (std::ferror(stdout) != 0) return kFailure;
      if (interrupt.wait({}, milliseconds(options_.watch_s)) == Interrupt::Woken::signal) {
        return interrupt.exit_status();
      }
    }
  }

  // The daemon that was watched has gone, which is an end and no failure.
  int ended() const {
    const bool hung_up = failure_.code == "E_SYSTEM" || failure_.code == "E_NOT_RUNNING";
    if (!hung_up) return fail(output_, failure_);
    advise(output_, name_ + " has ended");
    return kOk;
  }

  // ---- checking ----

  int check() {
    using Clock = std::chrono::steady_clock;
    silent_ = true;
    const Interrupt interrupt;
    const auto end = Clock::now() + std::chrono::milliseconds(milliseconds(options_.wait_s));
    const auto left_ms = [&] {
      return static_cast<int>(
          std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count());
    };
    for (;;) {
      if (options_.wait_s > 0) look_no_longer_than(left_ms());
      const std::string reason = why_not();
      if (reason.empty()) return kOk;
      const int left = left_ms();
      if (left <= 0) return report(reason);
      if (interrupt.wait({}, std::min(left, kWaitStep_ms)) == Interrupt::Woken::signal) {
        return interrupt.exit_status();
      }
    }
  }

  // A daemon that hangs is not waited for when our own time is over.
  void look_no_longer_than(int left_ms) {
    patience_ms_ = std::clamp<std::uint32_t>(static_cast<std::uint32_t>(std::max(left_ms, 0)),
                                             kWaitStep_ms, TUNNEL_CONTROL_TIMEOUT_MS);
  }

  std::string why_not() {
    if (look() != kOk) return failure_.message;
    if (!overview_.left.blocks.empty()) return left_block_text(overview_.left.blocks.front());
    if (!overview_.left.settings.empty()) return left_over_text(overview_.left.settings.front());
    if (!overview_.unread.empty()) return unread_text(overview_.unread.front());
    if (overview_.tunnels.empty()) return "no tunnel is running";
    for (const TunnelStatus& tunnel : overview_.tunnels) {
      const std::string reason = check_failure(options_.check, tunnel);
      if (!reason.empty()) return tunnel.name + " " + reason;
    }
    return "";
  }

  int report(const std::string& reason) const {
    return fail(output_, {.exit = options_.wait_s > 0 ? kTimeout : kCheckFailed,
                          .code = "E_CHECK_FAILED",
                          .message = "not " + options_.check + ": " + reason});
  }

  const Status& options_;
  const Output& output_;
  const std::string name_;                                 // "" = every tunnel
  std::uint32_t patience_ms_ = TUNNEL_CONTROL_TIMEOUT_MS;  // for each answer
  bool silent_ = false;
  Failure failure_;
  Overview overview_;
};

}  // namespace

int status(const Status& options, const Output& output) {
  return StatusCommand(options, output).run();
}

}  // namespace simplevpn
