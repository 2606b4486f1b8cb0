// handshakes.cpp — asking for handshakes, and the three messages that make one.
//
// A message that does not authenticate changes nothing: no state, no endpoint, no timer.
#include <algorithm>
#include <cstring>
#include <utility>

#include "core/core.h"

namespace tunnel::core {

namespace {

constexpr std::uint64_t kStartSpacing = protocol::kSecond / 1000;  // paced start: 1,000 a second
constexpr std::uint64_t kAnswerTime = protocol::kSecond / 4;       // an initiation is worth a wait
constexpr std::uint64_t kFloorAhead = 600 * protocol::kSecond;

cipher::Key fresh_key(cipher::Random& random) noexcept {
  cipher::Key key;
  random.fill(key.writable());
  return key;
}

// Empties a poll buffer before a handshake message is written into it.
template <std::size_t N>
base::MutableBytesOf<N> message_space(tunnel_packet& packet) noexcept {
  std::memset(packet.data, 0, N);
  return base::MutableBytesOf<N>(packet.data, N);
}

}  // namespace

// ---- asking

// In flight, or waiting for its turn.
bool Core::handshake_asked_for(const Peer& peer) const noexcept {
  return peer.timers.handshake_in_progress() || peer.initiation.queued;
}

// Every trigger but a retry.
void Core::want_handshake(Peer& peer) noexcept {
  peer.timers.reset_attempts();
  if (!handshake_asked_for(peer)) initiations_.push(peer.slot);
}

// A little later, at random: two sides that send in step and are both initiator of a session of
// theirs (after a simultaneous start) must not both rekey for ever.
void Core::want_rekey(Peer& peer) noexcept {
  if (handshake_asked_for(peer)) return;
  if (peer.initiate_at <= now() + protocol::kJitter) return;  // asked for already
  peer.timers.reset_attempts();
  peer.initiate_at = now() + jitter_;
  wake(peer, peer.initiate_at);
}

bool Core::throttled(const Peer& peer) const noexcept {
  return peer.handshake_sent_at != Peer::kNever &&
         now() < peer.handshake_sent_at + protocol::kRekeyTimeout;
}

std::int32_t Core::initiate(std::uint64_t id, const tunnel_time& now) noexcept {
  advance(now);
  if (plain()) return TUNNEL_ERR_UNSUPPORTED;
  if (id != 0) {
    auto* peer = peers_.find(id);
    if (peer == nullptr) return TUNNEL_ERR_NOT_FOUND;
    if (!peer->has_endpoint()) return TUNNEL_ERR_UNAVAILABLE;
    want_handshake(*peer);
    return TUNNEL_OK;
  }
  auto when = clock_.mono_ns;
  for (std::uint32_t slot = 0; slot < peers_.slots(); ++slot) {
    auto& peer = peers_[slot];
    if (!peer.alive || !peer.has_endpoint()) continue;
    peer.initiate_at = std::min(peer.initiate_at, when);  // asked again: not later than before
    wake(peer, peer.initiate_at);
    when += kStartSpacing;
  }
  return TUNNEL_OK;
}

void Core::network_changed(const tunnel_time& now) noexcept {
  advance(now);
  for (std::uint32_t slot = 0; slot < peers_.slots(); ++slot) {
    auto& peer = peers_[slot];
    if (!peer.alive) continue;
    peer.local = {};
    const auto sent_at = std::exchange(peer.handshake_sent_at, Peer::kNever);
    if (!peer.has_endpoint()) continue;
    if (can_send(peer)) {
      peer.keepalive_due = true;
    } else if (peer.timers.handshake_in_progress()) {
      // A second initiation would make the answer to the first one void, and would be taken for a
      // flood: an interface that comes up changes the network just when the tunnel starts. Never
      // sent = an earlier change has brought the retry forward already.
      if (sent_at != Peer::kNever) {
        peer.timers.retry_at(std::max(sent_at + kAnswerTime, clock_.mono_ns));
      }
    } else {
      continue;
    }
    wake(peer, clock_.mono_ns);
  }
}

void Core::forget_sessions() noexcept {
  for (std::uint32_t slot = 0; slot < peers_.slots(); ++slot) {
    auto& peer = peers_[slot];
    if (!peer.alive) continue;
    forget_keys(peer);
    peer.timers.clear();
    peer.keepalive_due = false;
    initiations_.remove(slot);
    peer.handshake_sent_at = Peer::kNever;
    peer.initiate_at = Peer::kNever;
    peer.handshake_began_at = Peer::kNever;
    deadlines_.remove(slot);
    if (!staging_.empty(peer.staged)) want_handshake(peer);
    if (peer.timers.persistent_keepalive() != 0) {
      peer.timers.set_persistent_keepalive(peer.timers.persistent_keepalive(), now());
      wake(peer, peer.timers.deadline());
    }
  }
  queue_.clear();
  reap();
}

// ---- initiation, our side

// Null when as many handshakes are kept as the configuration allows. What is kept is wiped in time
// even if nothing comes of it: the caller wakes the peer.
PeerHandshake* Core::keep_handshake(Peer& peer, const protocol::Key& static_static) noexcept {
  if (peer.handshake != nullptr || !may_grow(handshakes_.growth())) return peer.handshake;
  peer.handshake = handshakes_.take();
  if (peer.handshake == nullptr) return nullptr;
  peer.handshake->static_static.assign(static_static.bytes());
  peer.timers.handshake_kept(now());
  return peer.handshake;
}

// False for a low-order public key, which set_peer refuses: nothing is ever sent to it.
bool Core::static_static(const Peer& peer, protocol::Key& out) const noexcept {
  if (peer.handshake == nullptr) return us_.static_static(peer.public_key, out);
  out.assign(peer.handshake->static_static.bytes());
  return true;
}

// Returns TUNNEL_VERDICT_SEND with the initiation in `packet`, or a drop reason.
std::int32_t Core::make_initiation(Peer& peer, tunnel_packet& packet) noexcept {
  protocol::Key static_static;
  if (!this->static_static(peer, static_static)) return TUNNEL_DROP_HANDSHAKE;
  auto* handshake = keep_handshake(peer, static_static);
  if (handshake == nullptr) return TUNNEL_DROP_EXHAUSTED;
  forget_initiation(peer);
  const auto index = fresh_index(peer);
  if (index == 0) return TUNNEL_DROP_EXHAUSTED;
  const auto space = message_space<protocol::kInitiationSize>(packet);
  if (!handshake->initiator.start({.us = us_,
                                   .remote = peer.public_key,
                                   .static_static = handshake->static_static,
                                   .timestamp = timestamps_.next(clock_.wall_ns),
                                   .sender = index,
                                   .ephemeral = fresh_key(random_)},
                                  space)) {
    indices_.remove(index);
    return TUNNEL_DROP_HANDSHAKE;
  }
  report_floor();
  handshake->initiated_at = now();
  handshake->cookie_welcome = true;
  handshake->initiation_mac1 = peer.cookies.write_macs(space, peer.public_key, now());
  if (peer.handshake_began_at == Peer::kNever) peer.handshake_began_at = now();
  peer.timers.handshake_initiated(now(), jitter_);
  ++counters_.handshakes_initiated;
  finish_handshake_packet(peer, packet, protocol::kInitiationSize);
  return TUNNEL_VERDICT_SEND;
}

// What initiation and response have in common once their bytes are there.
void Core::finish_handshake_packet(Peer& peer, tunnel_packet& packet,
                                   std::uint32_t length) noexcept {
  packet.length = length;
  packet.peer = peer.id();
  packet.flags = TUNNEL_PACKET_HANDSHAKE;
  packet.remote = peer.endpoint;
  packet.local = peer.local;
  packet.verdict = TUNNEL_VERDICT_SEND;
  peer.handshake_sent_at = now();
  peer.tx_bytes += length;
  ++counters_.tx_packets;
  counters_.tx_bytes += length;
  peer.timers.any_sent();
  peer.timers.any_traversal(now());
  wake(peer, peer.timers.deadline());
}

// A device without a clock battery stores this and starts above it the next time.
void Core::report_floor() noexcept {
  if (timestamps_.last() <= stored_floor_) return;
  stored_floor_ = timestamps_.last() + kFloorAhead;
  emit(TUNNEL_EVENT_TIMESTAMP_FLOOR, nullptr, static_cast<std::int64_t>(stored_floor_));
}

// ---- initiation, their side

// Returns TUNNEL_VERDICT_SEND with the response in `packet`, or a drop reason.
std::int32_t Core::answer_initiation(const QueuedHandshake& message,
                                     tunnel_packet& packet) noexcept {
  const protocol::InitiationBytes initiation(message.message);
  protocol::Responder responder;
  if (!responder.read_static(us_, initiation)) return TUNNEL_DROP_HANDSHAKE;
  auto* peer = peers_.find(responder.remote());
  if (peer == nullptr) {
    report_unknown(responder.remote());
    return TUNNEL_DROP_UNKNOWN_PEER;
  }
  // Anybody can name a peer's public key; memory is taken only once it proved to own it.
  protocol::Key static_static;
  if (!this->static_static(*peer, static_static) ||
      !responder.read_timestamp(static_static, initiation)) {
    return TUNNEL_DROP_HANDSHAKE;
  }
  const auto refused = check_initiation(*peer, responder.timestamp());
  if (refused != TUNNEL_OK) return refused;

  peer->greatest_timestamp = responder.timestamp();
  peer->initiation_received_at = now();
  emit(TUNNEL_EVENT_TIMESTAMP, peer, 0);
  if (keep_handshake(*peer, static_static) == nullptr) return TUNNEL_DROP_EXHAUSTED;
  learn_endpoint(*peer, message.remote, message.local);
  peer->rx_bytes += message.length;
  note_received(*peer);
  return respond(*peer, responder, message, packet);
}

std::int32_t Core::check_initiation(const Peer& peer,
                                    const protocol::Timestamp& stamp) const noexcept {
  if (stamp <= peer.greatest_timestamp) return TUNNEL_DROP_OLD_TIMESTAMP;
  const bool flood = peer.initiation_received_at != Peer::kNever &&
                     now() < peer.initiation_received_at + protocol::kInitiationSpacing;
  return flood ? TUNNEL_DROP_FLOOD : TUNNEL_OK;
}

std::int32_t Core::respond(Peer& peer, protocol::Responder& responder,
                           const QueuedHandshake& message, tunnel_packet& packet) noexcept {
  const auto index = fresh_index(peer);
  if (index == 0) return TUNNEL_DROP_EXHAUSTED;
  const auto space = message_space<protocol::kResponseSize>(packet);
  protocol::SessionKeys keys;
  if (!responder.respond(peer.preshared_key, fresh_key(random_), index, space, keys)) {
    indices_.remove(index);
    return TUNNEL_DROP_HANDSHAKE;
  }
  auto* session = begin_session(peer, keys, index, protocol::sender_index(message.bytes()), false);
  if (session == nullptr) {
    indices_.remove(index);
    return TUNNEL_DROP_EXHAUSTED;
  }
  indices_.assign(index, session);
  retire(peer.keys.responded(session));
  session->response_mac1 = peer.cookies.write_macs(space, peer.public_key, now());
  session->cookie_welcome = true;
  peer.timers.session_derived(now());
  ++counters_.handshakes_responded;
  finish_handshake_packet(peer, packet, protocol::kResponseSize);
  return TUNNEL_VERDICT_SEND;
}

// At most one a second: a stranger must not push real events out of the queue.
void Core::report_unknown(const protocol::PublicKey& key) noexcept {
  if (unknown_reported_at_ != Peer::kNever && now() < unknown_reported_at_ + protocol::kSecond) {
    return;
  }
  unknown_reported_at_ = now();
  tunnel_event event{};
  event.size = sizeof event;
  event.kind = TUNNEL_EVENT_UNKNOWN_KEY;
  event.mono_ns = now();
  std::copy(key.begin(), key.end(), event.public_key);
  events_.push(event);
}

// ---- response

// The peer's side of a session lives for 180 s; an answer held back for longer would replace a
// session that works by one that the peer has forgotten.
bool Core::initiation_is_stale(const Peer& peer) const noexcept {
  return now() >= peer.handshake->initiated_at + protocol::kRejectAfterTime;
}

// Returns TUNNEL_VERDICT_CONSUMED or a drop reason.
std::int32_t Core::accept_response(const QueuedHandshake& message) noexcept {
  const auto* entry = indices_.find(protocol::receiver_index(message.bytes()));
  if (entry == nullptr || entry->session != nullptr) return TUNNEL_DROP_UNKNOWN_INDEX;
  const auto index = entry->index;
  auto& peer = peers_[entry->slot];
  if (initiation_is_stale(peer)) return TUNNEL_DROP_HANDSHAKE;
  const protocol::ResponseBytes response(message.message.data(), protocol::kResponseSize);
  protocol::SessionKeys keys;
  if (!peer.handshake->initiator.finish(us_, peer.preshared_key, response, keys)) {
    return TUNNEL_DROP_HANDSHAKE;
  }
  auto* session = begin_session(peer, keys, index, protocol::sender_index(response), true);
  if (session == nullptr) {
    indices_.remove(index);
    return TUNNEL_DROP_EXHAUSTED;
  }
  indices_.assign(index, session);
  retire(peer.keys.initiated(session));
  learn_endpoint(peer, message.remote, message.local);
  peer.rx_bytes += message.length;
  note_received(peer);
  peer.timers.session_derived(now());
  if (peer.handshake_began_at != Peer::kNever) {
    peer.handshake_took_ns = now() - peer.handshake_began_at;
  }
  established(peer, true);
  peer.keepalive_due = true;  // confirms the keys, unless staged data does
  wake(peer, now());
  return TUNNEL_VERDICT_CONSUMED;
}

// ---- both

void Core::established(Peer& peer, bool initiator) noexcept {
  // After a simultaneous start the peer may have won; our initiation is not kept for ever.
  if (peer.handshake != nullptr && initiation_is_stale(peer)) forget_initiation(peer);
  peer.timers.handshake_complete();
  initiations_.remove(peer.slot);  // whatever asked for it, it has got it
  peer.handshake_began_at = Peer::kNever;
  peer.latest_handshake_wall_ns = clock_.wall_ns;
  ++counters_.handshakes_completed;
  emit(TUNNEL_EVENT_HANDSHAKE, &peer, initiator ? 1 : 0);
  if (!staging_.empty(peer.staged)) wake(peer, now());
}

void Core::learn_endpoint(Peer& peer, const tunnel_address& remote,
                          const tunnel_address& local) noexcept {
  peer.local = local;
  if (base::same_address(peer.endpoint, remote)) return;
  peer.endpoint = remote;
  emit(TUNNEL_EVENT_ENDPOINT, &peer, 0);
}

// Something authentic came. Its bytes are counted where it is accepted: refused inside packets move
// the timers alone.
void Core::note_received(Peer& peer) noexcept {
  peer.timers.any_received();
  peer.timers.any_traversal(now());
  wake(peer, peer.timers.deadline());
}

}  // namespace tunnel::core
