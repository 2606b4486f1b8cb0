// poll.cpp — what is due: timers, staged packets, handshakes that wait for their Diffie-Hellman.
//
//   1. peers whose deadline has come   ordered   timers, staged packets, keepalives: as far as the
//                                                buffers reach, the rest next time
//   2. handshakes, one at a time       ordered   initiations of ours and messages of others take
//                                                turns, each for one unit of the budget
//
// Stage 2 never holds up stage 1, and the turns go on over several calls: thousands of dead peers
// to be tried again must keep a living one neither from its answer nor from its packets. A peer
// whose work is done gets its next deadline; one without any leaves the queue.
#include <algorithm>

#include "core/core.h"

namespace tunnel::core {

using protocol::Timers;

namespace {
constexpr std::uint64_t kRetryAfterExhaustion = 5 * protocol::kSecond;
}

std::int32_t Core::poll(std::span<tunnel_packet> packets, std::uint32_t budget,
                        const tunnel_time& now) noexcept {
  advance(now);
  if (plain()) return 0;
  jitter_ = fresh_jitter();
  Output out{packets, 0, budget};
  while (serve_due_peer(out) || serve_handshake(out)) {
  }
  reap();
  if (out.budget != budget) note_memory();  // handshakes and sessions begin here alone
  if (queue_.empty()) under_load();         // notices the end of a load without traffic
  return static_cast<std::int32_t>(out.filled);
}

std::uint64_t Core::deadline() const noexcept {
  if (plain()) return TUNNEL_TIME_NEVER;
  if (!queue_.empty() || !initiations_.empty()) return 0;
  return loaded_ ? std::min(deadlines_.earliest(), loaded_until_) : deadlines_.earliest();
}

// ---- stage 1: one peer

// False when no peer is due, or the buffers are full.
bool Core::serve_due_peer(Output& out) noexcept {
  if (deadlines_.earliest() > now()) return false;
  auto& peer = peers_[deadlines_.earliest_slot()];
  expire_timers(peer);
  start_at_last(peer);
  if (!flush_staged(peer, out) || !send_keepalive(peer, out)) return false;
  const auto next = std::min(peer.timers.deadline(), peer.initiate_at);
  if (next == Peer::kNever) {
    deadlines_.remove(peer.slot);
  } else {
    deadlines_.move(peer.slot, next);
  }
  return true;
}

void Core::expire_timers(Peer& peer) noexcept {
  const auto due = peer.timers.expire(now());
  if ((due & Timers::kWipe) != 0) {
    forget_keys(peer);
    emit(TUNNEL_EVENT_PEER_EXPIRED, &peer, 0);
  }
  if ((due & Timers::kGiveUp) != 0) give_up(peer);
  if ((due & (Timers::kRetryHandshake | Timers::kNewHandshake)) != 0) {
    peer.local = {};  // an interface that died may be the cause
    initiations_.push(peer.slot);
  }
  if ((due & (Timers::kKeepalive | Timers::kPersistentKeepalive)) != 0) peer.keepalive_due = true;
}

// A paced start or a delayed rekey; the peer may have been faster.
void Core::start_at_last(Peer& peer) noexcept {
  if (peer.initiate_at > now()) return;
  peer.initiate_at = Peer::kNever;
  if (can_send(peer) && !peer.keys.current()->session.wants_rekey_after_send(now())) return;
  initiations_.push(peer.slot);
}

// 90 s without an answer. Not the end: the next outgoing packet starts afresh.
void Core::give_up(Peer& peer) noexcept {
  count_drop(TUNNEL_DROP_STAGED, staging_.clear(peer.staged));
  peer.handshake_began_at = Peer::kNever;
  forget_initiation(peer);
  emit(TUNNEL_EVENT_HANDSHAKE_FAILED, &peer, 0);
}

// False when packets must wait for buffers.
bool Core::flush_staged(Peer& peer, Output& out) noexcept {
  if (!has_key_ || !peer.has_endpoint()) {  // taken away meanwhile: nothing will carry them
    const auto reason = has_key_ ? TUNNEL_DROP_NO_ENDPOINT : TUNNEL_DROP_NO_KEY;
    count_drop(reason, staging_.clear(peer.staged));
    return true;
  }
  while (!staging_.empty(peer.staged)) {
    if (!can_send(peer)) {
      if (!handshake_asked_for(peer)) want_handshake(peer);
      return true;
    }
    if (out.full()) return false;
    const auto length = staging_.front_length(peer.staged);
    const auto padded = protocol::padded_length(length, mtu_);
    if (padded + protocol::kDataOverhead > out.next().room) {  // the MTU shrank meanwhile
      staging_.drop_front(peer.staged);
      count_drop(TUNNEL_DROP_TOO_BIG);
      continue;
    }
    staging_.pop(peer.staged, out.next().data + protocol::kDataHeaderSize);
    send_data(peer, length, out);
  }
  return true;
}

// False when it must wait for a buffer.
bool Core::send_keepalive(Peer& peer, Output& out) noexcept {
  if (!peer.has_endpoint()) peer.keepalive_due = false;
  if (!peer.keepalive_due) return true;
  if (!can_send(peer)) {  // becomes a handshake, whose confirmation is as good
    peer.keepalive_due = false;
    want_handshake(peer);
    return true;
  }
  if (out.full()) return false;
  send_data(peer, 0, out);
  return true;
}

// Seals what lies in the next buffer, 16 bytes from its start; length 0 makes a keepalive.
void Core::send_data(Peer& peer, std::uint32_t length, Output& out) noexcept {
  peer.keepalive_due = false;  // data says what a keepalive would
  auto& packet = out.next();
  auto& session = *peer.keys.current();
  tunnel_aead_job job;
  const auto wire_bytes = plan_data(session, packet.data, length, job);
  settings_.cipher.ops->seal(settings_.cipher.self, &job, 1);
  if (job.result != TUNNEL_OK) return count_drop(TUNNEL_DROP_IO);
  packet.length = wire_bytes;
  packet.peer = peer.id();
  packet.flags = length == 0 ? TUNNEL_PACKET_KEEPALIVE : 0;
  packet.remote = peer.endpoint;
  packet.local = peer.local;
  packet.verdict = TUNNEL_VERDICT_SEND;
  ++out.filled;
  commit_sent(peer, session, wire_bytes, length == 0);
}

// ---- stage 2: one handshake message, of ours or of others

// False when there is none, or no buffer or budget for it.
bool Core::serve_handshake(Output& out) noexcept {
  if (out.full() || out.budget == 0) return false;
  if (queue_.empty() && initiations_.empty()) return false;
  if (initiations_.empty() || (answer_next_ && !queue_.empty())) {
    serve_message(out);
  } else {
    serve_initiation(peers_[initiations_.pop()], out);
  }
  return true;
}

void Core::serve_initiation(Peer& peer, Output& out) noexcept {
  if (!has_key_ || !peer.has_endpoint()) return wake(peer, now());  // for what it has staged
  if (throttled(peer)) {
    // A rekey that has just been answered, or asked for, needs no second one.
    if (can_send(peer)) return;
    peer.timers.retry_at(peer.handshake_sent_at + protocol::kRekeyTimeout);
  } else {
    --out.budget;
    answer_next_ = true;
    const auto result = make_initiation(peer, out.next());
    if (result == TUNNEL_VERDICT_SEND) {
      ++out.filled;
    } else {
      count_drop(result);
      peer.timers.retry_at(now() + kRetryAfterExhaustion);
    }
  }
  wake(peer, peer.timers.deadline());
}

void Core::serve_message(Output& out) noexcept {
  --out.budget;
  answer_next_ = false;
  const auto& message = queue_.pop();
  if (!has_key_) return count_drop(TUNNEL_DROP_NO_KEY);
  const auto type = protocol::classify(message.bytes());
  const auto result = type == protocol::MessageType::initiation
                          ? answer_initiation(message, out.next())
                          : accept_response(message);
  if (result == TUNNEL_VERDICT_SEND) ++out.filled;
  if (result >= TUNNEL_DROP_FIRST) count_drop(result);
}

}  // namespace tunnel::core
