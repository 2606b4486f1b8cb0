#include "host/control/core_reader.h"

#include <cerrno>

#include "host/system/system.h"

namespace tunnel::host {

CorePiece::~CorePiece() {
  clear();
}

void CorePiece::clear() noexcept {
  for (Peer& peer : peers) base::wipe(peer.info.preshared_key, sizeof(peer.info.preshared_key));
  peers.clear();
  prefixes.clear();
}

int CorePiece::read(CoreAccess& core) {
  clear();
  // Room is taken before, so that no copy of a preshared key stays behind in old memory.
  peers.reserve(kPeers);
  return core.run([this](tunnel_core* read) { return errno_of(copy(read)); });
}

std::int32_t CorePiece::copy(const tunnel_core* core) {
  tunnel_layout layout = TUNNEL_LAYOUT_INIT;
  if (tunnel_core_layout(core, &layout) == TUNNEL_OK) {
    mtu = layout.mtu;
    profile = layout.profile;
  }
  std::int32_t status = tunnel_core_counters(core, &counters);
  std::uint64_t peer = 0;
  for (std::size_t i = 0; status == TUNNEL_OK && i < kPeers; ++i) {
    last = tunnel_core_next_peer(core, &cursor, &peer) != TUNNEL_OK;
    if (last) break;
    status = copy_peer(core, peer);
  }
  return status;
}

std::int32_t CorePiece::copy_peer(const tunnel_core* core, std::uint64_t peer) {
  Peer& to = peers.emplace_back(Peer{TUNNEL_PEER_INFO_INIT, prefixes.size()});
  std::int32_t status = tunnel_core_get_peer(core, peer, &to.info);
  if (status != TUNNEL_OK) return status;
  std::size_t count = to.info.prefix_count;
  prefixes.resize(to.first_prefix + count);
  status = tunnel_core_peer_prefixes(core, peer, prefixes.data() + to.first_prefix, count, &count);
  return status;
}

}  // namespace tunnel::host
