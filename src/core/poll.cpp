// poll.cpp — what is due: timers, handshakes that wait for their Diffie-Hellman, staged packets.
//
//   1. peers whose deadline has come   ordered   their timers say what to do; done as far as
//                                                buffers and budget allow, the rest next time
//   2. queued handshake messages       ordered   one Diffie-Hellman budget each
//
// Initiations of ours and messages of others take turns in using the budget, also over several
// calls: thousands of dead peers to be tried again must not keep a living one from its answer.
// A peer whose work is done gets its next deadline; one without any leaves the queue.
#include <algorithm>

#include "core/core.h"

namespace tunnel::core {

using protocol::Timers;

namespace {
constexpr std::uint32_t kAnyKeepalive =
    Timers::kKeepalive | Timers::kPersistentKeepalive | kKeepaliveNow;
constexpr std::uint32_t kAnyInitiation =
    Timers::kRetryHandshake | Timers::kNewHandshake | kInitiate;
constexpr std::uint64_t kRetryAfterExhaustion = 5 * protocol::kSecond;

// Takes the bits out of the set; true when one was there.
bool take(std::uint32_t& set, std::uint32_t bits) noexcept {
  const bool any = (set & bits) != 0;
  set &= ~bits;
  return any;
}
}  // namespace

std::int32_t Core::poll(std::span<tunnel_packet> packets, std::uint32_t budget,
                        const tunnel_time& now) noexcept {
  advance(now);
  jitter_ = fresh_jitter();
  Output out{packets, 0, budget};
  while (queue_first_ ? serve_handshake(out) || serve_due_peer(out)
                      : serve_due_peer(out) || serve_handshake(out)) {
  }
  reap();
  if (queue_.empty()) under_load();  // notices the end of a load without traffic
  return static_cast<std::int32_t>(out.filled);
}

std::uint64_t Core::deadline() const noexcept {
  if (!queue_.empty()) return 0;
  return loaded_ ? std::min(deadlines_.earliest(), loaded_until_) : deadlines_.earliest();
}

// ---- stage 1: one peer

// False when no peer is due, or the first one lacks a buffer or budget.
bool Core::serve_due_peer(Output& out) noexcept {
  if (deadlines_.earliest() > now()) return false;
  auto& peer = peers_[deadlines_.earliest_slot()];
  peer.pending |= peer.timers.expire(now());
  if (peer.initiate_at <= now()) {
    peer.initiate_at = Peer::kNever;
    const bool fresh =
        can_send(peer) && !peer.keys.current()->session.wants_rekey_after_send(now());
    if (!fresh) peer.pending |= kInitiate;
  }
  if (!run_pending(peer, out)) return false;
  const auto next = next_deadline(peer);
  if (next == Peer::kNever) {
    deadlines_.remove(peer.slot);
  } else {
    deadlines_.move(peer.slot, next);
  }
  return true;
}

std::uint64_t Core::next_deadline(const Peer& peer) const noexcept {
  if (peer.pending != 0) return now();
  return std::min(peer.timers.deadline(), peer.initiate_at);
}

// Does what is pending; false when something must wait for buffers or budget.
bool Core::run_pending(Peer& peer, Output& out) noexcept {
  if (take(peer.pending, Timers::kWipe)) {
    forget_keys(peer);
    emit(TUNNEL_EVENT_PEER_EXPIRED, &peer, 0);
  }
  if (take(peer.pending, Timers::kGiveUp)) give_up(peer);
  if ((peer.pending & (Timers::kRetryHandshake | Timers::kNewHandshake)) != 0) {
    peer.local = {};  // an interface that died may be the cause
  }
  // A keepalive without a session becomes a handshake, whose confirmation is as good.
  if ((peer.pending & kAnyKeepalive) != 0 && !can_send(peer)) {
    take(peer.pending, kAnyKeepalive);
    want_handshake(peer);
  }
  return run_initiation(peer, out) && flush_staged(peer, out) && run_keepalive(peer, out);
}

bool Core::run_initiation(Peer& peer, Output& out) noexcept {
  if ((peer.pending & kAnyInitiation) == 0) return true;
  if (!has_key_ || !peer.has_endpoint()) {
    take(peer.pending, kAnyInitiation);
    return true;
  }
  if (throttled(peer)) {
    take(peer.pending, kAnyInitiation);
    // A rekey that has just been answered, or asked for, needs no second one.
    if (!can_send(peer)) peer.timers.retry_at(peer.handshake_sent_at + protocol::kRekeyTimeout);
    return true;
  }
  if (out.full() || out.budget == 0) return false;
  --out.budget;
  queue_first_ = true;
  take(peer.pending, kAnyInitiation);
  if (make_initiation(peer, out.next())) {
    ++out.filled;
  } else {
    peer.timers.retry_at(now() + kRetryAfterExhaustion);
  }
  return true;
}

bool Core::flush_staged(Peer& peer, Output& out) noexcept {
  if (!has_key_ || !peer.has_endpoint()) {  // taken away meanwhile: nothing will carry them
    const auto reason = has_key_ ? TUNNEL_DROP_NO_ENDPOINT : TUNNEL_DROP_NO_KEY;
    count_drop(reason, staging_.clear(peer.staged));
    return true;
  }
  while (!staging_.empty(peer.staged)) {
    if (!can_send(peer)) {
      if (!peer.timers.handshake_in_progress()) want_handshake(peer);
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

bool Core::run_keepalive(Peer& peer, Output& out) noexcept {
  if (!peer.has_endpoint()) take(peer.pending, kAnyKeepalive);
  if ((peer.pending & kAnyKeepalive) == 0) return true;
  if (out.full()) return false;
  send_data(peer, 0, out);
  return true;
}

// Seals what lies in the next buffer, 16 bytes from its start; length 0 makes a keepalive.
void Core::send_data(Peer& peer, std::uint32_t length, Output& out) noexcept {
  take(peer.pending, kAnyKeepalive);  // data says what a keepalive would
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

// 90 s without an answer. Not the end: the next outgoing packet starts afresh.
void Core::give_up(Peer& peer) noexcept {
  count_drop(TUNNEL_DROP_STAGED, staging_.clear(peer.staged));
  peer.handshake_began_at = Peer::kNever;
  forget_initiation(peer);
  emit(TUNNEL_EVENT_HANDSHAKE_FAILED, &peer, 0);
}

// ---- stage 2: one handshake message

bool Core::serve_handshake(Output& out) noexcept {
  if (queue_.empty() || out.full() || out.budget == 0) return false;
  --out.budget;
  queue_first_ = false;
  const auto& message = queue_.pop();
  if (!has_key_) {
    count_drop(TUNNEL_DROP_NO_KEY);
    return true;
  }
  const auto type = protocol::classify(message.bytes());
  const auto result = type == protocol::MessageType::initiation
                          ? answer_initiation(message, out.next())
                          : accept_response(message);
  if (result == TUNNEL_VERDICT_SEND) ++out.filled;
  if (result >= TUNNEL_DROP_FIRST) count_drop(result);
  return true;
}

}  // namespace tunnel::core
