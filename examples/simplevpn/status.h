// status.h - what is known about one running tunnel, and its two forms.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "handles.h"
#include "in_force.h"
#include "output.h"

namespace simplevpn {

struct TunnelStatus {
  std::string name;
  SnapshotHandle snapshot;  // owns the texts and prefixes that `peers` point to
  tunnel_snapshot_interface interface = TUNNEL_SNAPSHOT_INTERFACE_INIT;
  tunnel_counters counters = TUNNEL_COUNTERS_INIT;
  tunnel_engine_counters engine = TUNNEL_ENGINE_COUNTERS_INIT;
  std::vector<tunnel_snapshot_peer> peers;
  std::vector<std::string> addresses;  // of the interface, "10.9.0.1/24"
  std::uint32_t mtu = 0;               // 0 = unknown
  std::uint64_t now_ns = 0;            // wall clock
  bool link_up = false;                // the kernel's interface exists and is up
  InForce in_force;
  bool blocked = false;  // the kill switch is in force, and the tunnel carries nothing
};

// Names of the tunnels that run, sorted. A negative status when the directory cannot be read.
[[nodiscard]] std::int32_t list_tunnels(std::vector<std::string>& names);

// What became of the question to one daemon.
struct Reading {
  std::string name;
  std::int32_t result = 0;
  TunnelStatus status;  // when the result is OK
};

// Asks all of them at once, and waits so long for the answers.
[[nodiscard]] std::vector<Reading> read_statuses(const std::vector<std::string>& names,
                                                 std::uint32_t patience_ms);

// Whether a friendly name or a public key means this peer.
[[nodiscard]] bool is_called(const tunnel_snapshot_peer& peer, const std::string& name);

// A session lives at most 180 s, so an older handshake carries nothing any more.
[[nodiscard]] bool is_live(const TunnelStatus& status, const tunnel_snapshot_peer& peer);

// Whether the tunnel protects nothing.
[[nodiscard]] bool is_plain(const TunnelStatus& status);

// Why the check ("live", "ready" or "handshake") does not hold; "" when it does. The meaning of the
// three words is part of the interface: simplevpn(1) defines them.
[[nodiscard]] std::string check_failure(const std::string& check, const TunnelStatus& status);

// What to say of a tunnel that does not run, and whose kill switch is still in force.
[[nodiscard]] std::string left_block_text(const std::string& name);

// A tunnel that runs, and whose daemon could not be asked.
struct Unread {
  std::string name;
  std::int32_t result = 0;
};
[[nodiscard]] std::string unread_text(const Unread& unread);

// What to say of a tunnel that does not run and has left other things than a block, and how to
// undo it.
[[nodiscard]] std::string left_over_text(const std::string& name);
[[nodiscard]] std::string undo_command(const std::string& name);
// A line for each, with what undoes it.
[[nodiscard]] std::vector<std::string> left_lines(const Leftovers& left);

// Tunnels that could be asked or not, and what is left of those that do not run.
struct Overview {
  std::vector<TunnelStatus> tunnels;
  std::vector<Unread> unread;
  Leftovers left;
};

// Ready to print, with final newline. `indent` -1 = on one line.
[[nodiscard]] std::string status_json(const Overview& overview, int indent);
[[nodiscard]] std::string status_table(const TunnelStatus& status, bool color);

}  // namespace simplevpn
