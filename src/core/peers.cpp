// peers.cpp — making, changing, listing and forgetting peers.
#include <algorithm>
#include <cstring>

#include "core/core.h"

namespace tunnel::core {

namespace {

constexpr std::uint32_t kFields = TUNNEL_PEER_PRESHARED_KEY | TUNNEL_PEER_ENDPOINT |
                                  TUNNEL_PEER_KEEPALIVE | TUNNEL_PEER_GREATEST_TIMESTAMP;
constexpr std::uint32_t kFlags =
    TUNNEL_PEER_CREATE_ONLY | TUNNEL_PEER_UPDATE_ONLY | TUNNEL_PEER_REPLACE_PREFIXES;

bool valid(const tunnel_prefix& prefix) noexcept {
  if ((prefix.flags & ~TUNNEL_PREFIX_REMOVE) != 0) return false;
  return (prefix.family == TUNNEL_FAMILY_IPV4 && prefix.length <= 32) ||
         (prefix.family == TUNNEL_FAMILY_IPV6 && prefix.length <= 128);
}

bool valid(const tunnel_address& endpoint) noexcept {
  return endpoint.family == TUNNEL_FAMILY_NONE || endpoint.family == TUNNEL_FAMILY_IPV4 ||
         endpoint.family == TUNNEL_FAMILY_IPV6 || endpoint.family == TUNNEL_FAMILY_LINK;
}

std::int32_t check(const tunnel_peer_config& config, bool custom_router) noexcept {
  if ((config.fields & ~kFields) != 0 || (config.flags & ~kFlags) != 0) return TUNNEL_ERR_ARGUMENT;
  const auto exclusive = TUNNEL_PEER_CREATE_ONLY | TUNNEL_PEER_UPDATE_ONLY;
  if ((config.flags & exclusive) == exclusive) return TUNNEL_ERR_ARGUMENT;
  if ((config.fields & TUNNEL_PEER_KEEPALIVE) != 0 && config.keepalive_s > UINT16_MAX) {
    return TUNNEL_ERR_ARGUMENT;
  }
  if ((config.fields & TUNNEL_PEER_ENDPOINT) != 0 && !valid(config.endpoint)) {
    return TUNNEL_ERR_ARGUMENT;
  }
  if (config.prefix_count == 0) return TUNNEL_OK;
  if (config.prefixes == nullptr) return TUNNEL_ERR_ARGUMENT;
  if (custom_router) return TUNNEL_ERR_UNSUPPORTED;
  const std::span prefixes(config.prefixes, config.prefix_count);
  return std::ranges::all_of(prefixes, [](const auto& prefix) { return valid(prefix); })
             ? TUNNEL_OK
             : TUNNEL_ERR_ARGUMENT;
}

}  // namespace

base::Result<std::uint64_t> Core::set_peer(const tunnel_peer_config& config) {
  const auto status = check(config, settings_.router.ops != nullptr);
  if (status != TUNNEL_OK) return base::Error{status};
  protocol::PublicKey key;
  std::copy_n(config.public_key, key.size(), key.begin());
  auto* peer = peers_.find(key);
  if (const auto refused = check_peer(config, key, peer); refused != TUNNEL_OK) {
    return base::Error{refused};
  }

  const bool fresh = peer == nullptr;
  if (fresh && (config.flags & TUNNEL_PEER_UPDATE_ONLY) != 0) {
    return base::Error{TUNNEL_ERR_NOT_FOUND};
  }
  if (!fresh && (config.flags & TUNNEL_PEER_CREATE_ONLY) != 0) {
    return base::Error{TUNNEL_ERR_EXISTS};
  }
  if (fresh) {
    if (peers_.full()) return base::Error{TUNNEL_ERR_LIMIT};
    if (!may_grow(peer_growth())) return base::Error{TUNNEL_ERR_MEMORY};
    deadlines_.reserve(peers_.size() + std::size_t{1});
    if (plain()) endpoints_.reserve(peers_.size() + std::size_t{1});
    peer = &peers_.add(key);
  }
  if (!set_prefixes(*peer, config)) {
    if (fresh) remove_peer(peer->id());
    return base::Error{TUNNEL_ERR_MEMORY};
  }
  set_fields(*peer, config);
  note_memory();
  return peer->id();
}

// What depends on the core: which keys it can work with, and in plain profile which endpoints.
std::int32_t Core::check_peer(const tunnel_peer_config& config, const protocol::PublicKey& key,
                              const Peer* peer) const noexcept {
  if (plain()) return check_plain(config, peer);
  if (has_key_ && key == us_.public_key) return TUNNEL_ERR_KEY;
  // No handshake with it could ever be: say so now, not after 90 s of silence.
  return cipher::is_low_order(key) ? TUNNEL_ERR_KEY : TUNNEL_OK;
}

bool Core::set_prefixes(Peer& peer, const tunnel_peer_config& config) {
  owner_memo_.forget();
  if ((config.flags & TUNNEL_PEER_REPLACE_PREFIXES) != 0) allowed_ips_.remove_all(peer.slot);
  for (const auto& prefix : std::span(config.prefixes, config.prefix_count)) {
    if ((prefix.flags & TUNNEL_PREFIX_REMOVE) != 0) {
      allowed_ips_.remove(prefix, peer.slot);
    } else if (!may_grow(allowed_ips_.growth(prefix.family, peer.slot)) ||
               !allowed_ips_.insert(prefix, peer.slot)) {
      return false;
    }
  }
  return true;
}

void Core::set_fields(Peer& peer, const tunnel_peer_config& config) noexcept {
  if ((config.fields & TUNNEL_PEER_PRESHARED_KEY) != 0) {
    peer.preshared_key.assign(base::BytesOf<32>(config.preshared_key, 32));
  }
  if ((config.fields & TUNNEL_PEER_ENDPOINT) != 0 &&
      !base::same_address(peer.endpoint, config.endpoint)) {
    set_endpoint(peer, config.endpoint);
  }
  if ((config.fields & TUNNEL_PEER_GREATEST_TIMESTAMP) != 0) {
    std::copy_n(config.greatest_timestamp, peer.greatest_timestamp.size(),
                peer.greatest_timestamp.begin());
  }
  if ((config.fields & TUNNEL_PEER_KEEPALIVE) != 0) {
    peer.timers.set_persistent_keepalive(static_cast<std::uint16_t>(config.keepalive_s), now());
    wake(peer, peer.timers.deadline());
  }
}

void Core::set_endpoint(Peer& peer, const tunnel_address& endpoint) noexcept {
  if (plain()) {
    endpoints_.remove(peer.endpoint);
    endpoints_.insert(endpoint, peer.slot);
  }
  peer.endpoint = endpoint;
  peer.local = {};
}

std::int32_t Core::remove_peer(std::uint64_t id) noexcept {
  auto* peer = peers_.find(id);
  if (peer == nullptr) return TUNNEL_ERR_NOT_FOUND;
  forget_keys(*peer);
  reap();
  count_drop(TUNNEL_DROP_STAGED, staging_.clear(peer->staged));
  deadlines_.remove(peer->slot);
  initiations_.remove(peer->slot);
  allowed_ips_.remove_all(peer->slot);
  owner_memo_.forget();
  if (plain()) endpoints_.remove(peer->endpoint);
  peers_.remove(*peer);
  return TUNNEL_OK;
}

std::int32_t Core::get_peer(std::uint64_t id, tunnel_peer_info& info) const noexcept {
  const auto* peer = peers_.find(id);
  if (peer == nullptr) return TUNNEL_ERR_NOT_FOUND;
  info = {};
  info.size = sizeof info;
  info.keepalive_s = peer->timers.persistent_keepalive();
  std::copy(peer->public_key.begin(), peer->public_key.end(), info.public_key);
  std::memcpy(info.preshared_key, peer->preshared_key.data(), sizeof info.preshared_key);
  info.endpoint = peer->endpoint;
  std::copy(peer->greatest_timestamp.begin(), peer->greatest_timestamp.end(),
            info.greatest_timestamp);
  const bool ready = plain() ? peer->has_endpoint() : can_send(*peer);
  info.has_session = ready ? 1 : 0;
  info.latest_handshake_ns = peer->latest_handshake_wall_ns;
  info.rx_bytes = peer->rx_bytes;
  info.tx_bytes = peer->tx_bytes;
  info.prefix_count = allowed_ips_.count(peer->slot);
  info.handshake_ns = peer->handshake_took_ns;
  return TUNNEL_OK;
}

std::int32_t Core::find_peer(const protocol::PublicKey& key, std::uint64_t& id) const noexcept {
  const auto* peer = peers_.find(key);
  if (peer == nullptr) return TUNNEL_ERR_NOT_FOUND;
  id = peer->id();
  return TUNNEL_OK;
}

// The cursor is the next slot to look at.
std::int32_t Core::next_peer(std::uint64_t& cursor, std::uint64_t& id) const noexcept {
  while (cursor < peers_.slots()) {
    const auto& peer = peers_[static_cast<std::uint32_t>(cursor++)];
    if (!peer.alive) continue;
    id = peer.id();
    return TUNNEL_OK;
  }
  return TUNNEL_ERR_NOT_FOUND;
}

base::Result<std::size_t> Core::peer_prefixes(std::uint64_t id,
                                              std::span<tunnel_prefix> out) const noexcept {
  const auto* peer = peers_.find(id);
  if (peer == nullptr) return base::Error{TUNNEL_ERR_NOT_FOUND};
  if (!out.empty()) allowed_ips_.copy(peer->slot, out.data(), out.size());
  return allowed_ips_.count(peer->slot);
}

}  // namespace tunnel::core
