#include "host/control/uapi_set.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "host/control/uapi_key.h"
#include "host/system/system.h"

namespace tunnel::host {
namespace {

constexpr std::uint32_t kMostPort = 65535;
constexpr std::uint32_t kMostKeepalive = 65535;

// ---- the lines of a peer; each returns 0, or an errno and has changed nothing ----

int set_flag(std::uint32_t& flags, std::uint32_t flag, std::string_view value) {
  if (value != "true") return EINVAL;
  flags |= flag;
  return 0;
}

int take_remove(PeerChange& peer, std::string_view value) {
  if (value != "true") return EINVAL;
  peer.removes = true;
  return 0;
}

int take_update_only(PeerChange& peer, std::string_view value) {
  return set_flag(peer.flags, TUNNEL_PEER_UPDATE_ONLY, value);
}

// Takes away what the request itself added before, as well.
int take_replace_allowed_ips(PeerChange& peer, std::string_view value) {
  if (value == "true") peer.prefixes.clear();
  return set_flag(peer.flags, TUNNEL_PEER_REPLACE_PREFIXES, value);
}

int take_preshared_key(PeerChange& peer, std::string_view value) {
  base::Secret<TUNNEL_KEY_SIZE> key;
  if (!read_key(value, key.writable())) return EINVAL;
  peer.preshared_key = std::move(key);
  peer.fields |= TUNNEL_PEER_PRESHARED_KEY;
  return 0;
}

int take_endpoint(PeerChange& peer, std::string_view value) {
  const auto address = read_address(value);
  if (!address || address->port == 0) return EINVAL;
  peer.endpoint = *address;
  peer.fields |= TUNNEL_PEER_ENDPOINT;
  return 0;
}

int take_keepalive(PeerChange& peer, std::string_view value) {
  const auto seconds = read_number(value, kMostKeepalive);
  if (!seconds) return EINVAL;
  peer.keepalive_s = *seconds;
  peer.fields |= TUNNEL_PEER_KEEPALIVE;
  return 0;
}

int take_allowed_ip(PeerChange& peer, std::string_view value) {
  const bool removes = value.starts_with('-');
  if (removes) value.remove_prefix(1);
  const auto prefix = read_prefix(value);
  if (!prefix) return EINVAL;
  peer.prefixes.push_back(network_of(*prefix));
  if (removes) peer.prefixes.back().flags |= TUNNEL_PREFIX_REMOVE;
  return 0;
}

int take_protocol_version(PeerChange&, std::string_view value) {
  return value == "1" ? 0 : EINVAL;
}

// Bytes that a terminal obeys have no place in a name. UTF-8 passes.
bool is_plain(std::string_view text, char least) {
  return std::ranges::none_of(text, [least](char c) {
    return static_cast<unsigned char>(c) < static_cast<unsigned char>(least) || c == '\x7f';
  });
}

int take_host(PeerChange& peer, std::string_view value) {
  const std::size_t colon = value.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return EINVAL;
  const auto port = read_number(value.substr(colon + 1), kMostPort);
  const std::string_view host = value.substr(0, colon);
  if (!port || *port == 0 || host.size() > SetParser::kLongestHost) return EINVAL;
  if (!is_plain(host, '!')) return EINVAL;
  peer.host = host;
  peer.host_port = static_cast<std::uint16_t>(*port);
  return 0;
}

int take_name(PeerChange& peer, std::string_view value) {
  if (!is_plain(value, ' ') || value.size() > kLongestName) return EINVAL;
  peer.name = value;
  return 0;
}

struct PeerKey {
  std::string_view key;
  int (*take)(PeerChange& peer, std::string_view value);
};

constexpr PeerKey kPeerKeys[] = {
    {"allowed_ip", take_allowed_ip},
    {"remove", take_remove},
    {"update_only", take_update_only},
    {"replace_allowed_ips", take_replace_allowed_ips},
    {"preshared_key", take_preshared_key},
    {"endpoint", take_endpoint},
    {"persistent_keepalive_interval", take_keepalive},
    {"protocol_version", take_protocol_version},
    {"x_name", take_name},
    {"x_endpoint", take_host},
};

// What goes on with the same peer after its first part was taken out, so it exists or was refused.
PeerChange continuation_of(const PeerChange& peer) {
  PeerChange next;
  next.key = peer.key;
  next.removes = peer.removes;
  next.flags = TUNNEL_PEER_UPDATE_ONLY;
  return next;
}

}  // namespace

void SetParser::take(std::string_view line) {
  if (error_ != 0) return;
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return fail(EPROTO);
  const std::string_view key = line.substr(0, equals);
  const std::string_view value = line.substr(equals + 1);
  if (key == "public_key") {
    error_ = begin_peer(value);
  } else if (peer_lines_ == 0) {
    error_ = take_interface(key, value);
  } else {
    error_ = take_peer(key, value);
  }
  ++lines_;
}

int SetParser::begin_peer(std::string_view value) {
  PeerChange peer;
  if (!read_key(value, peer.key)) return EINVAL;
  changes_.peers.push_back(std::move(peer));
  peer_lines_ = 1;
  return 0;
}

int SetParser::take_peer(std::string_view key, std::string_view value) {
  ++peer_lines_;
  const auto* known = std::ranges::find(kPeerKeys, key, &PeerKey::key);
  if (known == std::end(kPeerKeys)) return EINVAL;
  return known->take(changes_.peers.back(), value);
}

int SetParser::take_interface(std::string_view key, std::string_view value) {
  using Kind = InterfaceChange::Kind;
  if (key == "private_key") {
    InterfaceChange change{Kind::private_key, {}, 0};
    if (!read_key(value, change.private_key.writable())) return EINVAL;
    changes_.interface.push_back(std::move(change));
    return 0;
  }
  if (key == "listen_port") return change_interface(Kind::port, value, kMostPort);
  if (key == "fwmark") return change_interface(Kind::mark, value, UINT32_MAX);
  if (key != "replace_peers") return EINVAL;
  if (value != "true") return EINVAL;
  changes_.interface.push_back({Kind::replace_peers, {}, 0});
  return 0;
}

int SetParser::change_interface(InterfaceChange::Kind kind, std::string_view value,
                                std::uint32_t most) {
  const auto number = read_number(value, most);
  if (!number) return EINVAL;
  changes_.interface.push_back({kind, {}, *number});
  return 0;
}

// A peer is cut only when it alone fills the piece: what its first lines say ("update_only") must
// come before it is made.
bool SetParser::is_full() const noexcept {
  return lines_ >= kPieceLines && (peer_lines_ <= 1 || peer_lines_ >= kPieceLines);
}

Changes SetParser::take_changes(bool ended) {
  Changes taken = std::exchange(changes_, {});
  lines_ = 0;
  if (ended || taken.peers.empty()) return taken;
  if (peer_lines_ == 1) {
    changes_.peers.push_back(std::move(taken.peers.back()));
    taken.peers.pop_back();
  } else {
    changes_.peers.push_back(continuation_of(taken.peers.back()));
    peer_lines_ = 2;
  }
  return taken;
}

}  // namespace tunnel::host
