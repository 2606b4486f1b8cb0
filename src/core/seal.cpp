// seal.cpp — inside packets become datagrams.
//
//   1. route   ordered    who owns the destination
//   2. plan    ordered    peer, session, counter, header, padding; or stage, or drop
//   3. crypt   parallel   the cipher table seals the batch; needs nothing but its jobs
//   4. commit  ordered    verdicts, timers, rekey
//
// Nothing here allocates, blocks, or draws random numbers.
#include <algorithm>
#include <cstring>

#include "core/core.h"

namespace tunnel::core {

namespace {
constexpr std::uint32_t kLargestPacket = 1u << 17;  // above every frame; no length below can wrap
}

// What stage 2 hands to stages 3 and 4.
struct Core::SealBatch {
  struct Planned {
    tunnel_packet* packet;
    Peer* peer;
    PeerSession* session;
    std::uint32_t wire_bytes;
  };
  std::array<tunnel_aead_job, kBatch> jobs;
  std::array<Planned, kBatch> planned;
  std::size_t count = 0;
};

void Core::seal(std::span<tunnel_packet> packets, const tunnel_time& now) noexcept {
  advance(now);
  while (!packets.empty()) {
    const auto batch = std::min(packets.size(), kBatch);
    seal_batch(packets.first(batch));
    packets = packets.subspan(batch);
  }
}

void Core::seal_batch(std::span<tunnel_packet> packets) noexcept {
  if (plain()) return seal_plain(packets);
  if (!has_key_) {
    for (auto& packet : packets) drop(packet, TUNNEL_DROP_NO_KEY);
    return;
  }
  route(packets);
  SealBatch batch;
  for (auto& packet : packets) {
    if (packet.verdict == TUNNEL_VERDICT_NONE) plan_seal(packet, batch);
  }
  if (batch.count == 0) return;
  settings_.cipher.ops->seal(settings_.cipher.self, batch.jobs.data(), batch.count);
  for (std::size_t i = 0; i < batch.count; ++i) {
    const auto& planned = batch.planned[i];
    auto& packet = *planned.packet;
    if (batch.jobs[i].result != TUNNEL_OK) {
      drop(packet, TUNNEL_DROP_IO);
      continue;
    }
    move_start(packet, -std::int32_t{protocol::kDataHeaderSize});
    packet.length = planned.wire_bytes;
    packet.remote = planned.peer->endpoint;
    packet.local = planned.peer->local;
    packet.verdict = TUNNEL_VERDICT_SEND;
    commit_sent(*planned.peer, *planned.session, planned.wire_bytes, false);
  }
}

// Stage 1. A packet that keeps the verdict NONE has a living peer in `peer`.
void Core::route(std::span<tunnel_packet> packets) noexcept {
  const auto& custom = settings_.router;
  if (custom.ops != nullptr) {
    custom.ops->owner(custom.self, TUNNEL_OUTBOUND, packets.data(), packets.size());
  }
  owner_memo_.forget();
  for (auto& packet : packets) {
    packet.verdict = TUNNEL_VERDICT_NONE;
    if (custom.ops == nullptr) packet.peer = owner_of(packet);
    if (packet.verdict == TUNNEL_VERDICT_NONE && peers_.find(packet.peer) == nullptr) {
      drop(packet, TUNNEL_DROP_NO_PEER);
    }
  }
}

// By allowed IPs; 0 = nobody. A packet that is no IP packet is dropped here.
std::uint64_t Core::owner_of(tunnel_packet& packet) noexcept {
  const auto header = base::read_ip_header({packet.data, packet.length});
  if (!header) {
    drop(packet, TUNNEL_DROP_INNER_MALFORMED);
    return 0;
  }
  const auto slot = owner_memo_.find(allowed_ips_, header->destination);
  return slot == router::kNobody ? 0 : peers_[slot].id();
}

// Stage 2.
void Core::plan_seal(tunnel_packet& packet, SealBatch& batch) noexcept {
  auto& peer = *peers_.find(packet.peer);
  if (!peer.has_endpoint()) return drop(packet, TUNNEL_DROP_NO_ENDPOINT);
  if (packet.length == 0) return drop(packet, TUNNEL_DROP_INNER_MALFORMED);  // means a keepalive
  if (packet.length > kLargestPacket) return drop(packet, TUNNEL_DROP_TOO_BIG);
  const auto padded = protocol::padded_length(packet.length, mtu_);
  if (packet.headroom < protocol::kDataHeaderSize || packet.room < padded + TUNNEL_AEAD_TAG) {
    return drop(packet, TUNNEL_DROP_NO_ROOM);
  }
  // Packets that wait go first: within a peer, order is kept.
  if (!can_send(peer) || !staging_.empty(peer.staged)) return stage(peer, packet);

  auto& session = *peer.keys.current();
  const auto wire_bytes = plan_data(session, packet.data - protocol::kDataHeaderSize, packet.length,
                                    batch.jobs[batch.count]);
  batch.planned[batch.count++] = {&packet, &peer, &session, wire_bytes};
}

void Core::stage(Peer& peer, tunnel_packet& packet) noexcept {
  if (can_send(peer)) {
    wake(peer, now());
  } else {
    want_handshake(peer);
  }
  if (!staging_.enabled()) {
    packet.verdict = TUNNEL_VERDICT_WAIT;
    return;
  }
  const auto padded = protocol::padded_length(packet.length, mtu_);
  if (padded + protocol::kDataOverhead > layout().poll_buffer) {
    return drop(packet, TUNNEL_DROP_TOO_BIG);  // poll could not put it into one of its buffers
  }
  std::uint32_t dropped = 0;
  if (!staging_.push(peer.staged, {packet.data, packet.length}, dropped)) {
    return drop(packet, TUNNEL_DROP_STAGED);
  }
  count_drop(TUNNEL_DROP_STAGED, dropped);
  packet.verdict = TUNNEL_VERDICT_HELD;
}

// Writes header and padding around the inside packet that lies 16 bytes after `datagram`, takes a
// counter, and fills the job that seals it in place. Returns the length of the datagram.
std::uint32_t Core::plan_data(PeerSession& session, std::uint8_t* datagram, std::uint32_t length,
                              tunnel_aead_job& job) noexcept {
  auto* inside = datagram + protocol::kDataHeaderSize;
  const auto padded = protocol::padded_length(length, mtu_);
  std::memset(inside + length, 0, padded - length);
  const auto counter = session.session.take_counter();
  protocol::write_data_header(datagram, {session.session.remote_index(), counter});
  job = {.key = session.session.send_key(),
         .counter = counter,
         .in = inside,
         .out = inside,
         .length = padded,
         .result = TUNNEL_DROP_IO,  // until it is done: plaintext is never taken for a datagram
         .reserved = {}};
  return padded + static_cast<std::uint32_t>(protocol::kDataOverhead);
}

// Stage 4 for one datagram, of seal or of poll.
void Core::commit_sent(Peer& peer, const PeerSession& session, std::uint32_t wire_bytes,
                       bool keepalive) noexcept {
  peer.tx_bytes += wire_bytes;
  ++counters_.tx_packets;
  counters_.tx_bytes += wire_bytes;
  if (keepalive) {
    ++counters_.keepalives_sent;
  } else {
    peer.timers.data_sent(now(), jitter_);
  }
  peer.timers.any_sent();
  peer.timers.any_traversal(now());
  wake(peer, peer.timers.deadline());
  if (session.session.wants_rekey_after_send(now())) want_rekey(peer);
}

}  // namespace tunnel::core
