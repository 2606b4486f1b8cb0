#include "host/control/changer.h"

#include <algorithm>
#include <cerrno>

#include "host/system/system.h"

namespace tunnel::host {
namespace {

constexpr std::size_t kRemovedAtOnce = 256;

// ---- on the engine's thread; each returns 0 or an errno ----

enum class Outcome { ignored, changed, removed };

int remove_peer(tunnel_core* core, const PublicKey& key, Outcome& outcome) {
  std::uint64_t peer = 0;
  if (tunnel_core_find_peer(core, key.data(), &peer) != TUNNEL_OK) return 0;
  outcome = Outcome::removed;
  return errno_of(tunnel_core_remove_peer(core, peer));
}

bool is_own_key(const tunnel_core* core, const PublicKey& key) {
  PublicKey own{};
  return tunnel_core_public_key(core, own.data()) == TUNNEL_OK && own == key;
}

int set_peer(tunnel_core* core, const PeerChange& change, Outcome& outcome) {
  if (is_own_key(core, change.key)) return 0;  // as every implementation does it
  tunnel_peer_config config = TUNNEL_PEER_CONFIG_INIT;
  config.fields = change.fields;
  config.flags = change.flags;
  config.keepalive_s = change.keepalive_s;
  config.endpoint = change.endpoint;
  config.prefixes = change.prefixes.data();
  config.prefix_count = change.prefixes.size();
  std::ranges::copy(change.key, config.public_key);
  std::ranges::copy(change.preshared_key.bytes(), config.preshared_key);
  const std::int32_t status = tunnel_core_set_peer(core, &config, nullptr);
  base::wipe(config.preshared_key, sizeof(config.preshared_key));
  // A peer that is only to be updated, and is not there, takes its lines with it.
  if (status == TUNNEL_ERR_NOT_FOUND) return 0;
  outcome = status == TUNNEL_OK ? Outcome::changed : Outcome::ignored;
  return errno_of(status);
}

}  // namespace

// ---- on the control thread ----

int Changer::apply_interface(std::span<const InterfaceChange> changes) {
  for (const InterfaceChange& change : changes) {
    const int error = apply(change);
    if (error != 0) return error;
  }
  return 0;
}

int Changer::apply(const InterfaceChange& change) {
  switch (change.kind) {
    case InterfaceChange::Kind::private_key:
      return set_private_key(change);
    case InterfaceChange::Kind::port:
      return set_port(static_cast<std::uint16_t>(change.value));
    case InterfaceChange::Kind::mark:
      return set_mark(change.value);
    case InterfaceChange::Kind::replace_peers:
      return remove_all_peers();
  }
  return EINVAL;
}

int Changer::set_port(std::uint16_t port) {
  const int error = core_.set_port(port);
  if (error == 0 && hooks_.port != nullptr) hooks_.port(hooks_.context, core_.port());
  return error;
}

int Changer::set_mark(std::uint32_t mark) {
  if (hooks_.mark != nullptr) mark = hooks_.mark(hooks_.context, mark);
  const int error = core_.set_mark(mark);
  if (error == 0) facts_.fwmark = mark;
  return error;
}

int Changer::set_private_key(const InterfaceChange& change) {
  const auto& key = change.private_key;
  PublicKey own{};
  const int error = core_.run([&](tunnel_core* core) {
    const auto status = tunnel_core_set_private_key(core, key.is_zero() ? nullptr : key.data());
    (void)tunnel_core_public_key(core, own.data());
    return errno_of(status);
  });
  if (error != 0) return error;
  facts_.private_key.assign(key.bytes());
  peer_removed(own);  // a peer that had the key is gone
  return 0;
}

int Changer::remove_all_peers() {
  std::uint64_t cursor = 0;
  std::vector<PublicKey> removed;
  do {
    removed.clear();
    removed.reserve(kRemovedAtOnce);
    const int error = core_.run([&](tunnel_core* core) {
      std::uint64_t peer = 0;
      while (removed.size() < kRemovedAtOnce &&
             tunnel_core_next_peer(core, &cursor, &peer) == TUNNEL_OK) {
        tunnel_peer_info info = TUNNEL_PEER_INFO_INIT;
        (void)tunnel_core_get_peer(core, peer, &info);
        base::wipe(info.preshared_key, sizeof(info.preshared_key));
        removed.push_back(public_key_of(info.public_key));
        (void)tunnel_core_remove_peer(core, peer);
      }
      return 0;
    });
    for (const PublicKey& key : removed) peer_removed(key);
    if (error != 0) return error;
  } while (removed.size() == kRemovedAtOnce);
  return 0;
}

int Changer::apply_peers(std::span<const PeerChange> changes) {
  if (changes.empty()) return 0;
  stop_lookups(changes);
  for (const PeerChange& change : changes) announce(change);
  std::vector<Outcome> outcomes(changes.size(), Outcome::ignored);
  const int error = core_.run([&](tunnel_core* core) {
    int failed = 0;
    for (std::size_t i = 0; failed == 0 && i < changes.size(); ++i) {
      failed = changes[i].removes ? remove_peer(core, changes[i].key, outcomes[i])
                                  : set_peer(core, changes[i], outcomes[i]);
    }
    return failed;
  });
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (outcomes[i] == Outcome::changed) peer_changed(changes[i]);
    if (outcomes[i] == Outcome::removed) peer_removed(changes[i].key);
  }
  return error;
}

// An endpoint that is set as an address is no longer looked up; afterwards would be too late: an
// answer that comes between would override it.
void Changer::stop_lookups(std::span<const PeerChange> changes) {
  const std::lock_guard lock(mutex_);
  if (followers_.resolver == nullptr) return;
  for (const PeerChange& change : changes) {
    if ((change.fields & TUNNEL_PEER_ENDPOINT) == 0) continue;
    (void)tunnel_resolver_remove(followers_.resolver, change.key.data());
  }
}

// Before anything can be sent there.
void Changer::announce(const PeerChange& change) const {
  const bool sets = !change.removes && (change.fields & TUNNEL_PEER_ENDPOINT) != 0;
  if (sets && hooks_.endpoint != nullptr) {
    hooks_.endpoint(hooks_.context, change.key.data(), &change.endpoint);
  }
}

void Changer::peer_changed(const PeerChange& change) {
  if (change.name && change.name->empty()) facts_.names.erase(change.key);
  if (change.name && !change.name->empty()) facts_.names[change.key] = *change.name;
  const std::lock_guard lock(mutex_);
  if ((change.fields & TUNNEL_PEER_ENDPOINT) != 0) endpoint_set(change.key, change.endpoint);
  if (!change.host.empty() && followers_.resolver != nullptr) {
    (void)tunnel_resolver_add(followers_.resolver, change.key.data(), change.host.c_str(),
                              change.host_port);
  }
}

// With the mutex held.
void Changer::endpoint_set(const PublicKey& key, const tunnel_address& endpoint) {
  if (followers_.state != nullptr) {
    (void)tunnel_state_set(followers_.state, key.data(), &endpoint);
  }
}

void Changer::peer_removed(const PublicKey& key) {
  facts_.names.erase(key);
  events_.forget(key);
  const std::lock_guard lock(mutex_);
  if (followers_.resolver != nullptr) (void)tunnel_resolver_remove(followers_.resolver, key.data());
  if (followers_.state != nullptr) (void)tunnel_state_set(followers_.state, key.data(), nullptr);
  if (hooks_.endpoint != nullptr) hooks_.endpoint(hooks_.context, key.data(), nullptr);
}

void Changer::follow(const Followers& followers) {
  const std::lock_guard lock(mutex_);
  followers_ = followers;
}

}  // namespace tunnel::host
