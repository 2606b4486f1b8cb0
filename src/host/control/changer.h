// changer.h — brings changes to a running tunnel, and to what else has to know of them.
#pragma once

#include <tunnel/host/resolver.h>
#include <tunnel/host/state.h>

#include <mutex>
#include <span>
#include <vector>

#include "host/control/core_access.h"
#include "host/control/event_log.h"
#include "host/control/facts.h"
#include "host/control/uapi_set.h"

namespace tunnel::host {

// Who keeps endpoints of peers beside the core. Either may be null.
struct Followers {
  tunnel_resolver* resolver = nullptr;
  tunnel_state* state = nullptr;
};

// Told before a peer gets an endpoint, and after it was removed (null); asked which mark the socket
// gets, and told which port it has got. Any may be null.
struct ChangeHooks {
  void (*endpoint)(void* context, const std::uint8_t* key,
                   const tunnel_address* endpoint) = nullptr;
  std::uint32_t (*mark)(void* context, std::uint32_t mark) = nullptr;
  void (*port)(void* context, std::uint16_t port) = nullptr;
  void* context = nullptr;
};

class Changer {
 public:
  // All must outlive it. The facts are changed on the thread that calls apply().
  Changer(CoreAccess& core, TunnelFacts& facts, EventLog& events, const ChangeHooks& hooks)
      : core_(core), facts_(facts), events_(events), hooks_(hooks) {}

  // Applies them in order until one fails; 0 or the errno of that one.
  int apply(const Changes& changes) {
    const int error = apply_interface(changes.interface);
    return error != 0 ? error : apply_peers(changes.peers);
  }

  // Any thread. When it returns nothing of the old ones is used any more.
  void follow(const Followers& followers);

 private:
  int apply_interface(std::span<const InterfaceChange> changes);
  int apply(const InterfaceChange& change);
  int set_port(std::uint16_t port);
  int set_mark(std::uint32_t mark);
  int set_private_key(const InterfaceChange& change);
  int remove_all_peers();
  int apply_peers(std::span<const PeerChange> changes);
  void stop_lookups(std::span<const PeerChange> changes);
  void peer_changed(const PeerChange& change);
  void announce(const PeerChange& change) const;
  void endpoint_set(const PublicKey& key, const tunnel_address& endpoint);
  void peer_removed(const PublicKey& key);

  CoreAccess& core_;
  TunnelFacts& facts_;
  EventLog& events_;
  const ChangeHooks hooks_;
  std::mutex mutex_;  // guards what follows, and is held in calls to them
  Followers followers_;
};

}  // namespace tunnel::host
