#include "host/control/take_over.h"

#include <tunnel/keys.h>

#include <array>
#include <set>
#include <string>

namespace tunnel::host {
namespace {

using SecretKey = base::Secret<TUNNEL_KEY_SIZE>;

const Key& key_named(std::string_view name) {
  return *find_key(name);
}

// The text of a key; wiped afterwards.
class KeyText {
 public:
  explicit KeyText(const SecretKey& key) {
    if (!key.is_zero()) (void)tunnel_key_to_text(key.data(), text_.data());
  }
  KeyText(const KeyText&) = delete;
  KeyText& operator=(const KeyText&) = delete;
  ~KeyText() { base::wipe(text_.data(), text_.size()); }
  std::string_view view() const { return text_.data(); }

 private:
  std::array<char, TUNNEL_KEY_TEXT_SIZE> text_{};
};

bool same_key(const SecretKey& a, const SecretKey& b) {
  return base::equal_constant_time(a.bytes(), b.bytes());
}

std::string joined(const std::vector<tunnel_prefix>& prefixes) {
  std::string text;
  for (const tunnel_prefix& prefix : prefixes) {
    text += (text.empty() ? "" : ", ") + prefix_text(prefix);
  }
  return text;
}

// Host names stay: what they resolved to is not what the file's author meant.
bool endpoint_moved(const PeerSection& written, const tunnel_address& now) {
  if (now.family == TUNNEL_FAMILY_NONE) return false;
  const bool is_name = !written.host.empty() && written.endpoint.family == TUNNEL_FAMILY_NONE;
  return !is_name && address_text(written.endpoint) != address_text(now);
}

void take_over_peer(const SnapshotPeer& now, const PeerSection& written, Document& document) {
  const PublicKey& key = written.public_key;
  if (!same_key(now.preshared_key, written.preshared_key)) {
    document.set(key, key_named("PresharedKey"), KeyText(now.preshared_key).view());
  }
  if (endpoint_moved(written, now.info.endpoint)) {
    document.set(key, key_named("Endpoint"), address_text(now.info.endpoint));
  }
  if (network_texts(now.allowed_ips) != network_texts(written.allowed_ips)) {
    document.set(key, key_named("AllowedIPs"), joined(now.allowed_ips));
  }
  if (now.info.keepalive_s != written.keepalive_s) {
    const std::uint32_t seconds = now.info.keepalive_s;
    document.set(key, key_named("PersistentKeepalive"),
                 seconds == 0 ? std::string() : std::to_string(seconds));
  }
}

void take_over_interface(const Snapshot& snapshot, const InterfaceSection& written,
                         Document& document) {
  const tunnel_snapshot_interface& now = snapshot.interface;
  if (now.has_key != 0 && !same_key(snapshot.private_key, written.private_key)) {
    document.set(key_named("PrivateKey"), KeyText(snapshot.private_key).view());
  }
  if (now.port != 0 && now.port != written.port) {
    document.set(key_named("ListenPort"), std::to_string(now.port));
  }
  if (now.fwmark != written.fwmark) {
    document.set(key_named("FwMark"), now.fwmark == 0 ? "" : std::to_string(now.fwmark));
  }
}

}  // namespace

void take_over(const Snapshot& snapshot, const Config& config, Document& document) {
  take_over_interface(snapshot, config.interface, document);
  std::set<PublicKey> running;
  for (const SnapshotPeer& peer : snapshot.peers) {
    const PublicKey key = public_key_of(peer.info.public_key);
    running.insert(key);
    const auto known = config.by_key.find(key);
    if (known != config.by_key.end()) {
      take_over_peer(peer, config.peers[known->second], document);
      continue;
    }
    document.add_peer(key);
    PeerSection fresh;
    fresh.public_key = key;
    take_over_peer(peer, fresh, document);
    if (is_writable_name(peer.name)) document.rename_peer(key, peer.name);
  }
  for (const PeerSection& peer : config.peers) {
    if (!running.contains(peer.public_key)) document.remove_peer(peer.public_key);
  }
}

}  // namespace tunnel::host
