// core_reader.h — a core's peers, a few hundred at a time.
#pragma once

#include <tunnel/core.h>

#include <memory>
#include <vector>

#include "base/base.h"
#include "host/control/core_access.h"

namespace tunnel::host {

// A part of the peers.
class CorePiece {
 public:
  static constexpr std::size_t kPeers = 256;

  struct Peer {
    tunnel_peer_info info;
    std::size_t first_prefix;  // in prefixes; info.prefix_count of them
  };

  CorePiece() = default;
  CorePiece(const CorePiece&) = delete;
  CorePiece& operator=(const CorePiece&) = delete;
  ~CorePiece();  // wipes the preshared keys

  // Reads the peers from `cursor` on (0 = from the first). 0 or an errno.
  int read(CoreAccess& core);

  std::uint64_t cursor = 0;  // where the next piece goes on
  bool last = false;         // there is no next piece
  std::uint32_t mtu = 0;
  std::uint32_t profile = TUNNEL_PROFILE_WIREGUARD;
  tunnel_counters counters = TUNNEL_COUNTERS_INIT;
  std::vector<Peer> peers;
  std::vector<tunnel_prefix> prefixes;

 private:
  std::int32_t copy(const tunnel_core* core);
  std::int32_t copy_peer(const tunnel_core* core, std::uint64_t peer);
  void clear() noexcept;
};

}  // namespace tunnel::host
