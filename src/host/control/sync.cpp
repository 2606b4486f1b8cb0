#include "host/control/sync.h"

#include <unordered_map>

#include "host/config/config.h"
#include "host/control/client.h"
#include "host/control/uapi_write.h"

namespace tunnel::host {
namespace {

using base::WipedBuffer;
using KeyBytes = base::BytesOf<TUNNEL_KEY_SIZE>;

constexpr std::uint8_t kNoKey[TUNNEL_KEY_SIZE] = {};

// Null stands for no key.
bool same_secret(const base::Secret<TUNNEL_KEY_SIZE>& now, const std::uint8_t* wanted) {
  return base::equal_constant_time(now.bytes(), KeyBytes(wanted ? wanted : kNoKey, sizeof(kNoKey)));
}

void put_secret(std::string_view key, const std::uint8_t* value, WipedBuffer& out) {
  write_key(key, KeyBytes(value ? value : kNoKey, sizeof(kNoKey)), out);
}

void compare_interface(const Snapshot& now, const tunnel_config_interface& wanted,
                       WipedBuffer& out) {
  if (!same_secret(now.private_key, wanted.private_key)) {
    put_secret("private_key", wanted.private_key, out);
  }
  const bool has_port = (wanted.fields & TUNNEL_CONFIG_LISTEN_PORT) != 0;
  if (has_port && wanted.port != now.interface.port) {
    write_text("listen_port", std::to_string(wanted.port), out);
  }
  const bool has_mark = (wanted.fields & TUNNEL_CONFIG_FWMARK) != 0;
  if (has_mark && wanted.fwmark != now.interface.fwmark) {
    write_text("fwmark", std::to_string(wanted.fwmark), out);
  }
}

void compare_endpoint(const SnapshotPeer& now, const tunnel_config_peer& wanted, bool ours,
                      WipedBuffer& out) {
  if (wanted.host[0] == '\0') return;
  if (wanted.endpoint.family != TUNNEL_FAMILY_NONE) {
    const std::string text = address_text(wanted.endpoint);
    if (text != address_text(now.info.endpoint)) write_text("endpoint", text, out);
  } else if (ours) {
    write_text("x_endpoint", std::string(wanted.host) + ":" + std::to_string(wanted.port), out);
  }
}

// `now` is empty for a peer that is not there.
void compare_peer(const SnapshotPeer& now, const tunnel_config_peer& wanted, bool ours,
                  WipedBuffer& out) {
  if (!same_secret(now.preshared_key, wanted.preshared_key)) {
    put_secret("preshared_key", wanted.preshared_key, out);
  }
  compare_endpoint(now, wanted, ours, out);
  if (wanted.keepalive_s != now.info.keepalive_s) {
    write_text("persistent_keepalive_interval", std::to_string(wanted.keepalive_s), out);
  }
  if (ours && wanted.name != now.name) write_text("x_name", wanted.name, out);
  const auto texts = network_texts(std::span(wanted.allowed_ips, wanted.allowed_ip_count));
  if (texts == network_texts(now.allowed_ips)) return;
  write_text("replace_allowed_ips", "true", out);
  for (const std::string& text : texts) write_text("allowed_ip", text, out);
}

}  // namespace

// A prefix that moves from one peer to another goes with whoever gets it, so the order of the peers
// does not matter; peers that are not wanted go first.
WipedBuffer differences(const Snapshot& now, const tunnel_config* wanted) {
  WipedBuffer out;
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  (void)tunnel_config_get_interface(wanted, &interface);
  compare_interface(now, interface, out);
  std::unordered_map<PublicKey, const SnapshotPeer*, PublicKeyHash> unwanted;
  for (const SnapshotPeer& peer : now.peers) unwanted[public_key_of(peer.info.public_key)] = &peer;
  WipedBuffer changes;
  for (std::size_t i = 0; i < interface.peer_count; ++i) {
    tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
    if (tunnel_config_get_peer(wanted, i, &peer) != TUNNEL_OK) continue;
    const auto known = unwanted.extract(public_key_of(peer.public_key));
    const SnapshotPeer none;
    const std::size_t before = changes.size();
    put_secret("public_key", peer.public_key, changes);
    const std::size_t begun = changes.size();
    compare_peer(known.empty() ? none : *known.mapped(), peer, now.interface.ours != 0, changes);
    if (changes.size() == begun && !known.empty()) changes.truncate(before);
  }
  for (const auto& [key, peer] : unwanted) {
    write_key("public_key", KeyBytes(key), out);
    write_text("remove", "true", out);
  }
  out.append(changes.text());
  return out;
}

std::int32_t sync_daemon(const std::string& directory, const std::string& name,
                         const tunnel_config* wanted, std::uint32_t timeout_ms) {
  const DaemonPlace place{directory, name, timeout_ms};
  const auto now = ask_daemon(directory, name, timeout_ms);
  if (!now) return now.status();
  const WipedBuffer lines = differences(*now, wanted);
  return lines.empty() ? TUNNEL_OK : set_daemon(place, lines.text());
}

}  // namespace tunnel::host
