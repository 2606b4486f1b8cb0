// status_json.cpp - "simplevpn.status/1": docs/schema/status.json describes every member.
//
// Members are added, never changed. No secrets: whether there is a preshared key, not which.
#include <algorithm>

#include "format.h"
#include "json_text.h"
#include "status.h"

namespace simplevpn {
namespace {

using nlohmann::ordered_json;

ordered_json time_or_null(std::uint64_t wall_ns) {
  return wall_ns == 0 ? ordered_json(nullptr) : ordered_json(rfc3339(wall_ns));
}

template <class Number>
ordered_json number_or_null(Number number) {
  return number == 0 ? ordered_json(nullptr) : ordered_json(number);
}

ordered_json peer_json(const TunnelStatus& status, const tunnel_snapshot_peer& peer) {
  ordered_json allowed_ips = ordered_json::array();
  for (std::size_t i = 0; i < peer.allowed_ip_count; ++i) {
    allowed_ips.push_back(prefix_text(peer.allowed_ips[i]));
  }
  const bool has_endpoint = peer.endpoint.family != TUNNEL_FAMILY_NONE;
  return {{"public_key", public_key_text(peer.public_key)},
          {"name", text_or_null(peer.name)},
          {"endpoint", text_or_null(has_endpoint ? address_text(peer.endpoint) : "")},
          {"not_resolved", text_or_null(peer.not_resolved)},
          {"live", is_live(status, peer)},
          {"latest_handshake", time_or_null(peer.latest_handshake_ns)},
          {"handshake_us", number_or_null(peer.handshake_ns / 1000)},
          {"rx_bytes", peer.rx_bytes},
          {"tx_bytes", peer.tx_bytes},
          {"persistent_keepalive_s", number_or_null(peer.keepalive_s)},
          {"has_preshared_key", peer.has_preshared_key != 0},
          {"allowed_ips", std::move(allowed_ips)}};
}

// "not allowed" -> "not_allowed"
std::string key_of(std::int32_t verdict) {
  std::string key = tunnel_status_text(verdict);
  std::replace_if(
      key.begin(), key.end(), [](char c) { return c == ' ' || c == '-'; }, '_');
  return key;
}

ordered_json drops_json(const std::uint64_t (&counts)[TUNNEL_DROP_COUNT]) {
  ordered_json drops = ordered_json::object();
  for (std::int32_t i = 0; i < TUNNEL_DROP_COUNT; ++i) {
    if (counts[i] != 0) drops[key_of(TUNNEL_DROP_FIRST + i)] = counts[i];
  }
  return drops;
}

ordered_json counters_json(const tunnel_counters& counters) {
  return {{"rx_packets", counters.rx_packets},
          {"rx_bytes", counters.rx_bytes},
          {"tx_packets", counters.tx_packets},
          {"tx_bytes", counters.tx_bytes},
          {"delivered_packets", counters.delivered_packets},
          {"delivered_bytes", counters.delivered_bytes},
          {"handshakes_initiated", counters.handshakes_initiated},
          {"handshakes_responded", counters.handshakes_responded},
          {"handshakes_completed", counters.handshakes_completed},
          {"cookie_replies", counters.cookie_replies},
          {"cookies_received", counters.cookies_received},
          {"keepalives_sent", counters.keepalives_sent},
          {"keepalives_received", counters.keepalives_received},
          {"staged_packets", counters.staged_packets},
          {"memory_bytes", counters.memory_bytes},
          {"memory_peak_bytes", counters.memory_peak_bytes},
          {"drops", drops_json(counters.drops)}};
}

ordered_json engine_json(const tunnel_engine_counters& counters) {
  return {{"wakeups", counters.wakeups},
          {"device_reads", counters.device_reads},
          {"device_packets_in", counters.device_packets_in},
          {"device_packets_out", counters.device_packets_out},
          {"transport_reads", counters.transport_reads},
          {"transport_packets_in", counters.transport_packets_in},
          {"transport_packets_out", counters.transport_packets_out},
          {"device_drops", drops_json(counters.device_drops)},
          {"transport_drops", drops_json(counters.transport_drops)}};
}

ordered_json tunnel_json(const TunnelStatus& status) {
  const tunnel_snapshot_interface& interface = status.interface;
  const bool ours = interface.ours != 0;
  ordered_json peers = ordered_json::array();
  for (const tunnel_snapshot_peer& peer : status.peers) peers.push_back(peer_json(status, peer));
  return {
      {"name", status.name},
      {"profile",
       ours ? ordered_json(is_plain(status) ? "plain" : "wireguard") : ordered_json(nullptr)},
      {"public_key", text_or_null(interface.has_key ? public_key_text(interface.public_key) : "")},
      {"listen_port", number_or_null(interface.port)},
      {"fwmark", number_or_null(interface.fwmark)},
      {"mtu", number_or_null(status.mtu)},
      {"addresses", status.addresses},
      {"up_since", time_or_null(interface.since_s * 1'000'000'000)},
      {"pid", number_or_null(interface.process)},
      {"counters", ours ? counters_json(status.counters) : ordered_json(nullptr)},
      {"scheme", text_or_null(scheme_word(status.in_force.scheme))},
      {"kill_switch",
       status.in_force.known ? ordered_json(status.in_force.kill_switch) : ordered_json(nullptr)},
      {"blocked", status.blocked},
      {"dns_backend", text_or_null(dns_word(status.in_force.dns_backend))},
      {"foreign_rules", status.in_force.foreign_rules},
      {"undone_by_others", status.in_force.undone},
      {"engine", ours ? engine_json(status.engine) : ordered_json(nullptr)},
      {"peers", std::move(peers)}};
}

}  // namespace

std::string status_json(const Overview& overview, int indent) {
  ordered_json list = ordered_json::array();
  for (const TunnelStatus& tunnel : overview.tunnels) list.push_back(tunnel_json(tunnel));
  ordered_json unread = ordered_json::array();
  for (const Unread& each : overview.unread) {
    unread.push_back({{"name", each.name}, {"reason", tunnel_status_text(each.result)}});
  }
  const ordered_json document{
      {"schema", "simplevpn.status/1"},      {"time", rfc3339(wall_now_ns())},
      {"tunnels", std::move(list)},          {"unread", std::move(unread)},
      {"left_blocks", overview.left.blocks}, {"left_over", overview.left.settings}};
  return document.dump(indent, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace simplevpn
