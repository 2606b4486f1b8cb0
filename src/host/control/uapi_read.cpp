#include "host/control/uapi_read.h"

#include <tunnel/keys.h>

#include <algorithm>
#include <span>
#include <utility>

#include "host/config/config.h"
#include "host/control/uapi.h"
#include "host/control/uapi_key.h"
#include "host/control/uapi_number.h"
#include "host/system/system.h"

namespace tunnel::host {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

bool read_private_key(std::string_view text, Snapshot& snapshot) {
  tunnel_snapshot_interface& out = snapshot.interface;
  base::Secret<TUNNEL_KEY_SIZE>& key = snapshot.private_key;
  if (!read_key(text, key.writable())) return false;
  out.has_key = key.is_zero() ? 0 : 1;
  return tunnel_key_public(key.data(), out.public_key) == TUNNEL_OK || out.has_key == 0;
}

bool read_drop(std::string_view number, std::string_view value, std::span<std::uint64_t> drops) {
  std::size_t verdict = 0;
  if (!read_decimal(number, verdict)) return true;  // of a newer daemon
  if (verdict < TUNNEL_DROP_FIRST || verdict >= TUNNEL_DROP_FIRST + drops.size()) return true;
  return read_decimal(value, drops[verdict - TUNNEL_DROP_FIRST]);
}

template <class Names, class Counters>
bool read_named(const Names& names, std::string_view key, std::string_view value,
                Counters& counters) {
  const auto found = std::find_if(names.begin(), names.end(),
                                  [&](const auto& counter) { return counter.name == key; });
  return found == names.end() || read_decimal(value, counters.*found->member);
}

bool read_counter(std::string_view key, std::string_view value, Snapshot& out) {
  tunnel_counters& core = out.counters;
  const std::pair<std::string_view, std::span<std::uint64_t>> drops[] = {
      {kDropPrefix, core.drops},
      {kDeviceDropPrefix, out.engine.device_drops},
      {kTransportDropPrefix, out.engine.transport_drops},
  };
  for (const auto& [prefix, counts] : drops) {
    if (key.starts_with(prefix)) return read_drop(key.substr(prefix.size()), value, counts);
  }
  if (key == "x_under_load") return read_decimal(value, core.under_load);
  if (key == "x_engine_running") return read_decimal(value, out.engine.running);
  return read_named(kCounterNames, key, value, core) &&
         read_named(kEngineCounterNames, key, value, out.engine);
}

// Who asks is root, and prints what it is told; who answers reads what strangers send. A name that
// a terminal would obey is none.
std::string file_name(std::string_view value) {
  const bool plain = std::none_of(value.begin(), value.end(), is_control);
  return plain ? std::string(value) : std::string();
}

bool read_interface_line(std::string_view key, std::string_view value, Snapshot& snapshot) {
  tunnel_snapshot_interface& out = snapshot.interface;
  if (key == "private_key") return read_private_key(value, snapshot);
  if (key == "listen_port") return read_decimal(value, out.port);
  if (key == "fwmark") return read_decimal(value, out.fwmark);
  if (key == "x_mtu") return read_decimal(value, out.mtu);
  if (key == "x_process") return read_decimal(value, out.process);
  if (key == "x_file") snapshot.file = file_name(value);
  if (key == kProfile) {
    const bool plain = value == kPlainProfile;
    out.profile = plain ? TUNNEL_PROFILE_PLAIN : TUNNEL_PROFILE_WIREGUARD;
    return true;
  }
  if (key == "x_since") {
    out.ours = 1;
    return read_decimal(value, out.since_s);
  }
  return read_counter(key, value, snapshot);
}

bool read_endpoint_line(std::string_view value, tunnel_address& endpoint) {
  const auto address = read_address(value);
  if (address) endpoint = *address;
  return address.has_value();
}

bool read_preshared_key(std::string_view value, SnapshotPeer& out) {
  if (!read_key(value, out.preshared_key.writable())) return false;
  out.info.has_preshared_key = out.preshared_key.is_zero() ? 0 : 1;
  return true;
}

bool read_allowed_ip(std::string_view value, std::vector<tunnel_prefix>& out) {
  const auto prefix = read_prefix(value);
  if (prefix) out.push_back(*prefix);
  return prefix.has_value();
}

bool read_handshake(std::string_view value, std::uint64_t unit, tunnel_snapshot_peer& out) {
  std::uint64_t number = 0;
  if (!read_decimal(value, number) || number > UINT64_MAX / unit / 2) return false;
  out.latest_handshake_ns += number * unit;
  return true;
}

bool read_peer_line(std::string_view key, std::string_view value, SnapshotPeer& peer) {
  tunnel_snapshot_peer& info = peer.info;
  if (key == "preshared_key") return read_preshared_key(value, peer);
  if (key == "endpoint") return read_endpoint_line(value, info.endpoint);
  if (key == "last_handshake_time_sec") return read_handshake(value, kSecond, info);
  if (key == "last_handshake_time_nsec") return read_handshake(value, 1, info);
  if (key == "tx_bytes") return read_decimal(value, info.tx_bytes);
  if (key == "rx_bytes") return read_decimal(value, info.rx_bytes);
  if (key == "persistent_keepalive_interval") return read_decimal(value, info.keepalive_s);
  if (key == "allowed_ip") return read_allowed_ip(value, peer.allowed_ips);
  if (key == "x_session") return read_decimal(value, info.has_session);
  if (key == "x_handshake_ns") return read_decimal(value, info.handshake_ns);
  if (key == "x_name") peer.name = friendly_name(value);
  if (key == "x_not_resolved") peer.not_resolved = shown(value);
  return true;
}

bool read_line(std::string_view line, Snapshot& snapshot) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view key = line.substr(0, equals);
  const std::string_view value = line.substr(equals + 1);
  if (key == "errno") return read_decimal(value, snapshot.error) && snapshot.error >= 0;
  if (key == "public_key") {
    auto& bytes = snapshot.peers.emplace_back().info.public_key;
    return read_key(value, base::MutableBytesOf<TUNNEL_KEY_SIZE>(bytes));
  }
  if (snapshot.peers.empty()) return read_interface_line(key, value, snapshot);
  return read_peer_line(key, value, snapshot.peers.back());
}

}  // namespace

std::string shown(std::string_view text) {
  std::string safe(text);
  std::replace_if(safe.begin(), safe.end(), is_control, '?');
  return safe;
}

bool read_snapshot(std::string_view text, Snapshot& snapshot) {
  while (snapshot.error < 0) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return false;
    if (!read_line(text.substr(0, end), snapshot)) return false;
    text.remove_prefix(end + 1);
  }
  snapshot.interface.peer_count = snapshot.peers.size();
  return text == "\n";
}

// Negative from most implementations; both signs mean the same.
std::optional<int> read_set_answer(std::string_view text) {
  constexpr std::string_view kKey = "errno=";
  int error = 0;
  if (!text.starts_with(kKey) || !text.ends_with("\n\n")) return std::nullopt;
  if (!read_decimal(text.substr(kKey.size(), text.size() - kKey.size() - 2), error)) {
    return std::nullopt;
  }
  return error < 0 && error > -4096 ? -error : error;
}

}  // namespace tunnel::host
