// daemon.h - one running tunnel: everything between a configuration file and a stopped engine.
//
// The caller's thread starts the tunnel, waits for signals and events, and takes the tunnel down.
// The engine has a thread of its own and does nothing but move packets; control socket, resolver
// and state file have theirs inside the host library.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include <tunnel/tunnel.hpp>

#include "commands.h"
#include "endpoint_names.h"
#include "events.h"
#include "handles.h"
#include "log.h"
#include "notify.h"
#include "routing.h"
#include "target.h"

namespace simplevpn {

class Daemon {
 public:
  Daemon(const Target& target, const Output& output, Log& log);
  ~Daemon();

  // Called when the interface is there and has no addresses yet; a failure that it reported ends
  // start(). Set it before.
  void on_interface(std::function<int()> call) { on_interface_ = std::move(call); }
  // Called when a signal asks for the end, while the tunnel still works. Set it before run().
  void on_signal(std::function<void()> call) { on_signal_ = std::move(call); }

  // Brings the tunnel up. Returns 0, or the exit status of a failure that was reported; then
  // nothing is left behind. Blocks SIGTERM, SIGINT and SIGHUP in the process: run() takes them.
  [[nodiscard]] int start();

  // Prints what start() would change on the machine, as commands. Returns the exit status.
  [[nodiscard]] int print_plan();

  // Waits until a signal, `down` or a lost interface ends the tunnel, and takes it down. Returns
  // the exit status.
  [[nodiscard]] int run();

 private:
  enum class End { none, terminated, interrupted, removed, lost };
  enum class Lost { nothing, interface, transport };

  // The stages of start(), in this order; each returns 0 or the exit status of its failure.
  int read_config();
  int plan();
  int catch_signals();
  int create_core();
  int open_interface();
  int open_socket();
  int create_engine();
  int open_control();
  int start_resolver();
  int apply_settings();
  void start_engine();

  void open_state(tunnel::Core& core);
  void name_peers(const tunnel::Core& core);
  std::uint32_t planned_mtu() const;
  void report_warnings();
  void report_up();
  static void on_removed(void* self);

  void take_signal();
  void reload();  // reload.cpp
  void take_events();
  int stop();
  int exit_status(int undone) const;
  Failure loss() const;
  int refuse(std::int32_t status, const std::string& doing, const std::string& hint = "");

  const std::string path_;  // as messages name it
  const std::string file_;  // absolute, to be read again; "" = there is none
  const std::string name_;
  const std::string plain_config_;  // instead of a file; "" = a WireGuard tunnel
  const std::uint32_t dns_backend_;
  const Routing routing_;
  const Output& output_;
  Log& log_;
  const Notifier notify_;
  std::function<int()> on_interface_;
  std::function<void()> on_signal_;
  ConfigHandle config_;  // gone when the tunnel runs: it has keys
  SettingsHandle settings_;
  StateHandle state_;
  PeerNames names_;
  std::optional<tunnel::Core> core_;            // these three until
  std::optional<tunnel::Device> device_;        // the engine
  std::optional<tunnel::Transport> transport_;  // adopts them
  std::optional<tunnel::Engine> engine_;
  ControlHandle control_;
  Endpoints open_;  // what a kill switch lets through
  EndpointNames endpoints_;
  Descriptor signals_;
  Descriptor ended_;  // readable when the engine's run() has returned
  std::thread engine_thread_;
  std::atomic<std::int32_t> engine_result_{0};
  std::atomic<End> end_{End::none};
  Lost lost_ = Lost::nothing;  // what an event said last; only the caller's thread
};

}  // namespace simplevpn
