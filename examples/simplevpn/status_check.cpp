// status_check.cpp - what `status --check` and the table mean by their words.
#include <algorithm>

#include "format.h"
#include "status.h"

namespace simplevpn {
namespace {

constexpr std::uint64_t kRejectAfterTime_ns = 180'000'000'000;

std::string why_not_live(const TunnelStatus& status) {
  // Other implementations do not tell; they answered, so they live.
  const bool runs = status.interface.ours == 0 || status.engine.running != 0;
  return runs ? "" : "answers, but its engine does not run";
}

std::string why_not_ready(const TunnelStatus& status) {
  if (status.interface.has_key == 0 && !is_plain(status)) return "has no private key";
  if (!status.link_up) return "has no interface that is up";
  if (status.blocked) return "is blocked: its kill switch is in force, and no peer is live";
  return status.peers.empty() ? "has no peers" : "";
}

std::string why_no_handshake(const TunnelStatus& status) {
  if (is_plain(status)) return "makes no handshakes: it is plain";
  const bool live = std::any_of(status.peers.begin(), status.peers.end(),
                                [&](const auto& peer) { return is_live(status, peer); });
  return live ? "" : "had no handshake in the last 180 s";
}

}  // namespace

bool is_plain(const TunnelStatus& status) {
  return status.interface.profile == TUNNEL_PROFILE_PLAIN;
}

bool is_called(const tunnel_snapshot_peer& peer, const std::string& name) {
  return peer.name == name || public_key_text(peer.public_key) == name;
}

bool is_live(const TunnelStatus& status, const tunnel_snapshot_peer& peer) {
  return peer.latest_handshake_ns != 0 &&
         peer.latest_handshake_ns + kRejectAfterTime_ns > status.now_ns;
}

std::string unread_text(const Unread& unread) {
  if (unread.result == TUNNEL_ERR_TIMEOUT) return unread.name + "  does not answer";
  return unread.name + "  cannot be asked: " + tunnel_status_text(unread.result);
}

std::string left_block_text(const std::string& name) {
  return name + " is not running, and its kill switch blocks all traffic";
}

std::string left_over_text(const std::string& name) {
  return name + " is not running, and what it set on this machine is left";
}

std::string undo_command(const std::string& name) {
  return "simplevpn down --cleanup " + shell_quoted(name);
}

std::vector<std::string> left_lines(const Leftovers& left) {
  std::vector<std::string> lines;
  for (const std::string& name : left.blocks) {
    lines.push_back(left_block_text(name) + ": simplevpn unblock " + shell_quoted(name) +
                    " lifts it");
  }
  for (const std::string& name : left.settings) {
    lines.push_back(left_over_text(name) + ": " + undo_command(name) + " undoes it");
  }
  return lines;
}

std::string check_failure(const std::string& check, const TunnelStatus& status) {
  std::string reason = why_not_live(status);
  if (reason.empty() && check != "live") reason = why_not_ready(status);
  if (reason.empty() && check == "handshake") reason = why_no_handshake(status);
  return reason;
}

}  // namespace simplevpn
