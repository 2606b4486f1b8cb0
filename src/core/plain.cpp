// plain.cpp — the plain profile: an inside packet is a datagram, byte for byte, and back.
//
// No encryption, no authentication, no header: the wire format of demonstrations that copy packets
// between a TUN and a UDP socket. seal.cpp, open.cpp and poll.cpp lead here at their doors, so that
// nothing of this stands in the pipelines of WireGuard.
//
//   seal   ordered   who owns the destination, and where that peer is: the packet stays as it is
//   open   ordered   whose address the datagram comes from, inside header, owner of the source
//   poll             nothing is ever due: the format has neither handshakes nor keepalives
//
// Whoever can forge a source address can forge a packet. What remains is that nobody else changes
// anything: where a peer is comes from set_peer alone, and no datagram ever teaches it.
#include <algorithm>

#include "core/core.h"

namespace tunnel::core {

namespace {

// 0.0.0.0 and :: as a destination mean this host: its own packets would come back as the peer's.
bool names_a_host(const tunnel_address& endpoint) noexcept {
  if (endpoint.family == TUNNEL_FAMILY_NONE) return true;
  if (endpoint.family == TUNNEL_FAMILY_LINK || endpoint.port == 0) return false;
  return std::ranges::any_of(endpoint.bytes, [](std::uint8_t byte) { return byte != 0; });
}

bool is_zero(const std::uint8_t (&key)[TUNNEL_KEY_SIZE]) noexcept {
  return base::is_zero_constant_time(base::BytesOf<TUNNEL_KEY_SIZE>(key));
}

}  // namespace

// What set_peer refuses in this profile; `peer` is the one that is to be changed, or null.
std::int32_t Core::check_plain(const tunnel_peer_config& config, const Peer* peer) const noexcept {
  if (is_zero(config.public_key)) return TUNNEL_ERR_KEY;
  const bool has_secret = (config.fields & TUNNEL_PEER_PRESHARED_KEY) != 0;
  if (has_secret && !is_zero(config.preshared_key)) return TUNNEL_ERR_UNSUPPORTED;
  if ((config.fields & TUNNEL_PEER_ENDPOINT) == 0) return TUNNEL_OK;
  if (!names_a_host(config.endpoint)) return TUNNEL_ERR_ARGUMENT;
  const auto owner = endpoints_.find(config.endpoint);
  const bool taken = owner != EndpointTable::kNobody && (peer == nullptr || owner != peer->slot);
  return taken ? TUNNEL_ERR_IN_USE : TUNNEL_OK;
}

tunnel_layout Core::plain_layout() const noexcept {
  return {
      .size = sizeof(tunnel_layout),
      .headroom = 0,
      .tailroom = 0,
      .padding = 1,
      .mtu = mtu_,
      .poll_buffer = TUNNEL_HANDSHAKE_MAX,  // never filled, but nobody shall divide by zero
      .profile = TUNNEL_PROFILE_PLAIN,
  };
}

void Core::seal_plain(std::span<tunnel_packet> packets) noexcept {
  route(packets);
  for (auto& packet : packets) {
    if (packet.verdict == TUNNEL_VERDICT_NONE) seal_plain(packet);
  }
}

void Core::seal_plain(tunnel_packet& packet) noexcept {
  auto& peer = *peers_.find(packet.peer);
  if (!peer.has_endpoint()) return drop(packet, TUNNEL_DROP_NO_ENDPOINT);
  // A router of the caller may not have looked at it.
  if (!base::read_ip_header({packet.data, packet.length})) {
    return drop(packet, TUNNEL_DROP_INNER_MALFORMED);
  }
  packet.remote = peer.endpoint;
  packet.local = {};
  packet.verdict = TUNNEL_VERDICT_SEND;
  peer.tx_bytes += packet.length;
  ++counters_.tx_packets;
  counters_.tx_bytes += packet.length;
}

void Core::open_plain(std::span<tunnel_packet> packets) noexcept {
  for (auto& packet : packets) open_plain(packet);
}

void Core::open_plain(tunnel_packet& packet) noexcept {
  packet.verdict = TUNNEL_VERDICT_NONE;
  packet.peer = 0;
  ++counters_.rx_packets;
  counters_.rx_bytes += packet.length;
  const auto slot = endpoints_.find(packet.remote);
  if (slot == EndpointTable::kNobody) return drop(packet, TUNNEL_DROP_UNKNOWN_PEER);
  if ((packet.flags & TUNNEL_PACKET_TRUNCATED) != 0) return drop(packet, TUNNEL_DROP_TOO_BIG);
  const auto wire_bytes = packet.length;
  const auto header = base::read_ip_header({packet.data, wire_bytes});
  if (!header) return drop(packet, TUNNEL_DROP_INNER_MALFORMED);
  auto& peer = peers_[slot];
  packet.peer = peer.id();
  packet.length = header->total_length;  // the kernel ignores what follows; so do we
  if (!source_is_allowed(peer, packet, &*header)) return drop(packet, TUNNEL_DROP_NOT_ALLOWED);
  peer.rx_bytes += wire_bytes;
  ++counters_.delivered_packets;
  counters_.delivered_bytes += packet.length;
  packet.verdict = TUNNEL_VERDICT_DELIVER;
}

}  // namespace tunnel::core
