// daemon.h - one running tunnel, as far as the machine is concerned: configuration, settings and
// their undo, files, log, signals.
//
// The packets are moved by another process (packet_process.h), which the daemon starts when
// everything is open and before anything is changed. The daemon has the powers of root and reads
// nothing that strangers send; the packet process reads it and has given up root. The daemon has
// one thread, and the one of the state file.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <tunnel/tunnel.hpp>

#include "commands.h"
#include "events.h"
#include "following.h"
#include "handles.h"
#include "log.h"
#include "notify.h"
#include "packet_child.h"
#include "routing.h"
#include "target.h"
#include "uplink_servers.h"

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
  // the exit status. `starter` is a socket to the process that runs PostUp, and says kOk or hangs
  // up; until then the tunnel has not started, and take_back() is what a failure leads to. -1 = all
  // is well already. Ours from here on.
  [[nodiscard]] int run(int starter = -1);

  // Instead of run(): a start that failed after all takes back what it brought, also the block, but
  // for one that was there before. 0, or the exit status of what could not be undone.
  int take_back();

 private:
  enum class End { none, terminated, interrupted, removed, lost, died, refused };
  enum class Lost { nothing, interface, transport };

  // The stages of start(), in this order; each returns 0 or the exit status of its failure.
  int read_config();
  int plan();
  int make_plan(std::uint16_t port);
  int refuse_interface(const tunnel_config_issue& issue);
  int catch_signals();
  int open_journal();
  int create_core();
  int open_interface();
  int open_socket();
  int make_control_file();
  int split();
  int wait_until_ready();
  int apply_settings();

  int refuse_settings(std::int32_t status, const tunnel_settings_fault& fault);
  void open_state(tunnel::Core& core);
  void learn_peers(const tunnel::Core& core);
  int run_packets(const Channel& channel, pid_t daemon);
  std::uint32_t planned_mtu() const;
  std::uint16_t planned_port() const;
  void report_warnings();
  void report_up();
  int refuse(std::int32_t status, const std::string& doing, const std::string& hint = "");

  // daemon_run.cpp: what comes from outside
  void take_signal();
  void hear_starter();
  void report_ready();
  void reload();  // reload.cpp
  void look_at_control_file();
  void listen();
  void take(const Message& message);
  void take_event(const tunnel_event& event);
  void take_resolved(const Message& message);
  void take_endpoint(const Message& message);
  void refresh_servers();
  void set_mark(std::uint32_t mark);
  void tell_resolvers();
  void settle();
  void take_end(const Message& message);
  bool hear_until(const bool& said, int timeout_ms);
  void ask_packets_to_end(End why);

  // daemon_end.cpp
  int stop();
  void end_packets();
  int undo_settings();
  int lift_own_block();
  void forget_endpoints() const;
  int exit_status(int undone) const;
  Failure loss() const;
  Failure death() const;

  const std::string path_;  // as messages name it
  const std::string file_;  // absolute, to be read again; "" = there is none
  const std::string name_;
  const std::string plain_config_;  // instead of a file; "" = a WireGuard tunnel
  const std::uint32_t dns_backend_;
  const Routing routing_;
  const DataPath data_path_;
  const Output& output_;
  Log& log_;
  const Notifier notify_;
  std::function<int()> on_interface_;
  std::function<void()> on_signal_;
  ConfigHandle config_;  // gone when the tunnel runs: it has keys
  SettingsHandle settings_;
  StateHandle state_;
  PeerNames names_;
  UplinkServers uplink_;
  Following following_;
  Descriptor signals_;

  std::vector<int> inherited_;                  // descriptors that are not the packet process's
  std::optional<tunnel::Core> core_;            // these until split(): then they are the packet
  std::optional<tunnel::Device> device_;        // process's, and our copies of keys and
  std::optional<tunnel::Transport> transport_;  // descriptors go
  ControlFileHandle control_file_;
  PacketChild packets_;

  // What the packet process said last.
  bool ready_ = false;
  bool ended_ = false;
  bool released_ = false;
  Message ready_words_;
  std::uint64_t unsettled_ = 0;  // the number of the last thing that waits for settings
  std::optional<std::uint32_t> wanted_mark_;
  std::optional<std::uint16_t> wanted_port_;
  bool network_changed_ = false;
  bool device_lost_ = false;
  std::int32_t engine_result_ = 0;
  Lost lost_ = Lost::nothing;

  Descriptor starter_;
  bool had_block_ = false;  // of this tunnel, before it was started
  End end_ = End::none;
  bool running_ = false;  // packets were told to move
  std::int64_t kill_at_ms_ =
      -1;  // when a packet process that was told to end must have; -1 = never
};

}  // namespace simplevpn
