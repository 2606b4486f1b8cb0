#include <algorithm>
#include <array>
#include <set>

#include "format.h"
#include "plain.h"
#include "status.h"

namespace simplevpn {
namespace {

constexpr const char* kNothing = "–";
constexpr std::size_t kColumns = 6;
using Row = std::array<std::string, kColumns>;

constexpr std::array<const char*, kColumns> kTitles{"PEER", "ENDPOINT", "HANDSHAKE",
                                                    "RX",   "TX",       "ALLOWED IPS"};

// Characters, not bytes: continuation bytes of UTF-8 take no room.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string padded(const std::string& text, std::size_t columns) {
  return text + std::string(columns > width(text) ? columns - width(text) : 0, ' ');
}

// Names come from a file or from another daemon: no control characters into a terminal.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text;
}

std::string handshake_text(const TunnelStatus& status, const tunnel_snapshot_peer& peer) {
  if (is_plain(status)) return kNothing;
  if (peer.latest_handshake_ns == 0) return "never";
  if (peer.latest_handshake_ns > status.now_ns) return "now";
  return duration_text((status.now_ns - peer.latest_handshake_ns) / 1'000'000'000) + " ago";
}

std::string allowed_text(const tunnel_snapshot_peer& peer) {
  std::string text;
  for (std::size_t i = 0; i < peer.allowed_ip_count; ++i) {
    if (!text.empty()) text += ", ";
    text += prefix_text(peer.allowed_ips[i]);
  }
  return text.empty() ? kNothing : text;
}

std::string hint(const TunnelStatus& status, const tunnel_snapshot_peer& peer) {
  if (peer.latest_handshake_ns != 0 || is_plain(status)) return "";
  const bool unknown = peer.endpoint.family == TUNNEL_FAMILY_NONE;
  if (peer.not_resolved[0] != '\0') {
    return std::string("  hint: no address of ") + peer.not_resolved;
  }
  if (unknown) {
    return "  hint: no packet seen; is UDP " + std::to_string(status.interface.port) + " open?";
  }
  return "  hint: no answer; is UDP " + std::to_string(peer.endpoint.port) +
         " open there, and do both keys match?";
}

Row row_of(const TunnelStatus& status, const tunnel_snapshot_peer& peer) {
  const std::string name = printable(peer.name);
  const bool unknown = peer.endpoint.family == TUNNEL_FAMILY_NONE;
  return {name.empty() ? public_key_text(peer.public_key) : name,
          unknown ? kNothing : address_text(peer.endpoint),
          handshake_text(status, peer),
          bytes_text(peer.rx_bytes),
          bytes_text(peer.tx_bytes),
          allowed_text(peer)};
}

std::string head(const TunnelStatus& status) {
  std::string text = status.name;
  if (status.interface.since_s != 0) {
    const std::uint64_t now_s = status.now_ns / 1'000'000'000;
    text += "  up " + duration_text(now_s - std::min(now_s, status.interface.since_s));
  }
  if (status.interface.port != 0) text += "   udp/" + std::to_string(status.interface.port);
  if (status.mtu != 0) text += "   mtu " + std::to_string(status.mtu);
  for (const std::string& address : status.addresses) text += "   " + address;
  if (is_plain(status)) return text + "\n";
  const auto live = std::count_if(status.peers.begin(), status.peers.end(),
                                  [&](const auto& peer) { return is_live(status, peer); });
  return text + "   " + std::to_string(live) + " of " + std::to_string(status.peers.size()) +
         " peers live\n";
}

// In red where there is colour, and never left out.
std::string plain_warning(const TunnelStatus& status, bool color) {
  if (!is_plain(status)) return "";
  const std::string text = std::string("  ") + kPlainWarning;
  return (color ? "\033[1;31m" + text + "\033[0m" : text) + "\n";
}

std::string foreign_chains(const InForce& in_force) {
  std::set<std::string> chains;
  for (const std::string& rule : in_force.foreign_rules) chains.insert(chain_of(rule));
  std::string text;
  for (const std::string& chain : chains) text += (text.empty() ? "" : ", ") + chain;
  return text;
}

// "  routes strict   kill switch on   names by file"
std::string machine_line(const InForce& in_force) {
  std::string text;
  const auto add = [&](const char* what, const std::string& value) {
    if (!value.empty()) text += std::string(text.empty() ? "  " : "   ") + what + " " + value;
  };
  const std::string scheme = scheme_word(in_force.scheme);
  add("routes", scheme);
  if (!scheme.empty() || in_force.kill_switch) {
    add("kill switch", in_force.kill_switch ? "on" : "off");
  }
  add("names by", dns_word(in_force.dns_backend));
  add("rules of ours in", foreign_chains(in_force));
  if (!in_force.undone.empty()) add("undone by others:", std::to_string(in_force.undone.size()));
  return text.empty() ? "" : text + "\n";
}

std::string block_line(const TunnelStatus& status, bool color) {
  if (!status.blocked) return "";
  const std::string text =
      "  BLOCKED: no peer is live, and the kill switch lets nothing else out; simplevpn down " +
      status.name + " lifts it";
  return (color ? "\033[1;31m" + text + "\033[0m" : text) + "\n";
}

std::string bullet(bool live, bool color) {
  if (!color) return live ? "● " : "○ ";
  return live ? "\033[32m●\033[0m " : "\033[2m○\033[0m ";
}

std::string line_of(const Row& row, const std::array<std::size_t, kColumns>& widths) {
  std::string line;
  for (std::size_t i = 0; i + 1 < kColumns; ++i) line += padded(row[i], widths[i]) + "  ";
  return line + row.back();
}

// "   tunnel: 3 forged, 12 replay" when something was refused there.
std::string drops_of(const char* place, const std::uint64_t (&counts)[TUNNEL_DROP_COUNT]) {
  std::string text;
  for (std::int32_t i = 0; i < TUNNEL_DROP_COUNT; ++i) {
    if (counts[i] == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(counts[i]) + " " +
            tunnel_status_text(TUNNEL_DROP_FIRST + i);
  }
  return text.empty() ? "" : std::string("   ") + place + ": " + text;
}

// What was refused by whom: by the protocol, by the interface, by the socket.
std::string drops_line(const TunnelStatus& status) {
  const std::string text = drops_of("tunnel", status.counters.drops) +
                           drops_of("interface", status.engine.device_drops) +
                           drops_of("socket", status.engine.transport_drops);
  return text.empty() ? "" : "  dropped" + text + "\n";
}

}  // namespace

std::string status_table(const TunnelStatus& status, bool color) {
  std::vector<Row> rows{Row{}};
  std::copy(kTitles.begin(), kTitles.end(), rows.front().begin());
  for (const auto& peer : status.peers) rows.push_back(row_of(status, peer));
  std::array<std::size_t, kColumns> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text = head(status) + plain_warning(status, color) + block_line(status, color) +
                     machine_line(status.in_force);
  if (status.peers.empty()) return text + drops_line(status);
  text += "  " + line_of(rows.front(), widths) + "\n";
  for (std::size_t i = 0; i < status.peers.size(); ++i) {
    const auto& peer = status.peers[i];
    text += bullet(is_live(status, peer), color) + line_of(rows[i + 1], widths) +
            hint(status, peer) + "\n";
  }
  return text + drops_line(status);
}

}  // namespace simplevpn
