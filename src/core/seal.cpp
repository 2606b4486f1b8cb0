// seal.cpp — inside packets become datagrams.
//
//   1. route   ordered    who owns the destination
//   2. plan    ordered    peer, session, counter, header, padding; or stage, or drop
//   3. crypt   parallel   the cipher table seals the batch; needs nothing but its jobs
//   4. commit  ordered    verdicts, timers, rekey
//
// Callers may do stage 3 themselves, on other threads: then other calls come between 2 and 4.
//
// Nothing here allocates, blocks, or draws random numbers.
#include <algorithm>
#include <cstring>

#include "core/core.h"

namespace tunnel::core {

namespace {
constexpr std::uint32_t kLargestPacket = 1u << 17;  // above every frame; no length below can wrap
}

void Core::seal(std::span<tunnel_packet> packets, const tunnel_time& now) noexcept {
  std::array<tunnel_aead_job, kBatch> jobs;
  while (!packets.empty()) {
    const auto batch = packets.first(std::min(packets.size(), kBatch));
    const auto count = seal_plan(batch, jobs, now);
    if (count > 0) settings_.cipher.ops->seal(settings_.cipher.self, jobs.data(), count);
    seal_commit(batch, jobs, now);
    packets = packets.subspan(batch.size());
  }
}

std::size_t Core::seal_plan(std::span<tunnel_packet> packets, std::span<tunnel_aead_job> jobs,
                            const tunnel_time& now) noexcept {
  advance(now);
  for (auto& packet : packets) clear_plan(packet);
  if (plain()) return seal_plain(packets), 0;
  if (!has_key_) {
    for (auto& packet : packets) drop(packet, TUNNEL_DROP_NO_KEY);
    return 0;
  }
  route(packets);
  std::size_t count = 0;
  for (auto& packet : packets) {
    if (packet.verdict == TUNNEL_VERDICT_NONE) count += plan_seal(packet, jobs[count]);
  }
  return count;
}

void Core::seal_commit(std::span<tunnel_packet> packets, std::span<const tunnel_aead_job> jobs,
                       const tunnel_time& now) noexcept {
  advance(now);
  const auto* job = jobs.data();
  for (auto& packet : packets) {
    if (auto* session = take_plan(packet); session != nullptr) {
      commit_seal(packet, *session, *job++);
    }
  }
  reap();
}

// Stage 1. A packet that keeps the verdict NONE has a living peer in `peer`.
void Core::route(std::span<tunnel_packet> packets) noexcept {
  const auto& custom = settings_.router;
  if (custom.ops != nullptr) {
    custom.ops->owner(custom.self, TUNNEL_OUTBOUND, packets.data(), packets.size());
    for (auto& packet : packets) packet.verdict = TUNNEL_VERDICT_NONE;
  } else {
    find_owners(packets);
  }
  for (auto& packet : packets) {
    if (packet.verdict == TUNNEL_VERDICT_NONE && peers_.find(packet.peer) == nullptr) {
      drop(packet, TUNNEL_DROP_NO_PEER);
    }
  }
}

// Sets `peer` by allowed IPs; 0 = nobody. In two rounds: an idle peer among many is in no cache,
// and comes from memory while the owners of the other packets are looked up.
void Core::find_owners(std::span<tunnel_packet> packets) noexcept {
  for (auto& packet : packets) {
    packet.verdict = TUNNEL_VERDICT_NONE;
    packet.peer = 0;
    const auto slot = owner_of(packet);
    if (slot == router::kNobody) continue;
    packet.peer = slot + 1u;  // an id without its generation, which lies in the peer
    peers_.prefetch(slot);
  }
  for (auto& packet : packets) {
    if (packet.peer != 0) packet.peer = peers_[static_cast<std::uint32_t>(packet.peer - 1)].id();
  }
}

// The slot of its peer, or nobody. A packet that is no IP packet is dropped here.
router::Owner Core::owner_of(tunnel_packet& packet) noexcept {
  const auto header = base::read_ip_header({packet.data, packet.length});
  if (!header) {
    drop(packet, TUNNEL_DROP_INNER_MALFORMED);
    return router::kNobody;
  }
  return owner_memo_.find(allowed_ips_, header->destination);
}

// Stage 2. True when the packet needs the job.
bool Core::plan_seal(tunnel_packet& packet, tunnel_aead_job& job) noexcept {
  auto& peer = *peers_.find(packet.peer);
  if (const auto refused = check_seal(peer, packet); refused != TUNNEL_OK) {
    drop(packet, refused);
    return false;
  }
  // Packets that wait go first: within a peer, order is kept.
  if (!can_send(peer) || !staging_.empty(peer.staged)) {
    stage(peer, packet);
    return false;
  }
  auto& session = *peer.keys.current();
  plan_data(session, packet.data - protocol::kDataHeaderSize, packet.length, job);
  set_plan(packet, session);
  return true;
}

std::int32_t Core::check_seal(const Peer& peer, const tunnel_packet& packet) const noexcept {
  if (!peer.has_endpoint()) return TUNNEL_DROP_NO_ENDPOINT;
  if (packet.length == 0) return TUNNEL_DROP_INNER_MALFORMED;  // means a keepalive
  if (packet.length > kLargestPacket) return TUNNEL_DROP_TOO_BIG;
  const auto padded = protocol::padded_length(packet.length, mtu_);
  const bool fits =
      packet.headroom >= protocol::kDataHeaderSize && packet.room >= padded + TUNNEL_AEAD_TAG;
  return fits ? TUNNEL_OK : TUNNEL_DROP_NO_ROOM;
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

// Stage 4.
void Core::commit_seal(tunnel_packet& packet, const PeerSession& session,
                       const tunnel_aead_job& job) noexcept {
  if (job.result != TUNNEL_OK) return drop(packet, TUNNEL_DROP_IO);
  if (session.retired) return drop(packet, TUNNEL_DROP_EXPIRED_KEY);
  auto& peer = peers_[session.slot];
  move_start(packet, -std::int32_t{protocol::kDataHeaderSize});
  packet.length = job.length + static_cast<std::uint32_t>(protocol::kDataOverhead);
  packet.remote = peer.endpoint;
  packet.local = peer.local;
  packet.verdict = TUNNEL_VERDICT_SEND;
  commit_sent(peer, session, packet.length, false);
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
