// sessions.cpp — where sessions begin and end.
//
// A session that a rekey retires may still be referred to by packets whose cipher runs elsewhere,
// so it loses its index at once but its keys and memory only when those have been committed.
#include "core/core.h"

namespace tunnel::core {

// Null when as many sessions are in use as the configuration allows.
PeerSession* Core::take_session(Peer& peer) noexcept {
  retire(peer.keys.take_expired(now()));
  const auto take = [this] { return may_grow(sessions_.growth()) ? sessions_.take() : nullptr; };
  if (auto* session = take(); session != nullptr) return session;
  // At the maximum a peer's own older sessions give way, so that it can always rekey.
  retire(peer.keys.take_previous());
  reap();
  return take();
}

PeerSession* Core::begin_session(Peer& peer, const protocol::SessionKeys& keys,
                                 std::uint32_t local_index, std::uint32_t remote_index,
                                 bool initiator) noexcept {
  auto* session = take_session(peer);
  if (session == nullptr) return nullptr;
  const protocol::Session::Start start{keys, local_index, remote_index, initiator};
  if (session->session.start(settings_.cipher, start, now()) != TUNNEL_OK) {
    sessions_.release(session);
    return nullptr;
  }
  session->slot = peer.slot;
  session->received_at = now();
  return session;
}

// For a handshake with this peer, ours or its own; 0 when memory is out.
std::uint32_t Core::fresh_index(const Peer& peer) noexcept {
  return may_grow(indices_.growth()) ? indices_.add(peer.slot, nullptr, random_) : 0;
}

void Core::retire(std::span<PeerSession* const> sessions) noexcept {
  for (auto* session : sessions) retire(session);
}

void Core::retire(PeerSession* session) noexcept {
  if (session == nullptr) return;
  indices_.remove(session->session.local_index());
  session->retired = true;
  session->next_retired = retired_;
  retired_ = session;
}

void Core::reap() noexcept {
  for (auto** link = &retired_; *link != nullptr;) {
    auto* session = *link;
    if (session->planned != 0) {
      link = &session->next_retired;
    } else {
      *link = session->next_retired;
      sessions_.release(session);
    }
  }
}

// Between plan and commit a packet names its session.
void Core::set_plan(tunnel_packet& packet, PeerSession& session) noexcept {
  packet.internal[0] = reinterpret_cast<std::uintptr_t>(&session);
  ++session.planned;
}

// Null for a packet that was decided when it was planned, or has been committed.
PeerSession* Core::take_plan(tunnel_packet& packet) noexcept {
  auto* session = reinterpret_cast<PeerSession*>(
      static_cast<std::uintptr_t>(std::exchange(packet.internal[0], 0)));
  if (session != nullptr) --session->planned;
  return session;
}

// The answer to an initiation in flight, should it still come, is not welcome any more.
void Core::forget_initiation(Peer& peer) noexcept {
  if (peer.handshake == nullptr || !peer.handshake->initiator.in_flight()) return;
  indices_.remove(peer.handshake->initiator.sender());
  peer.handshake->initiator.wipe();
}

void Core::forget_handshake(Peer& peer) noexcept {
  if (peer.handshake == nullptr) return;
  forget_initiation(peer);
  handshakes_.release(peer.handshake);
  peer.handshake = nullptr;
}

void Core::forget_keys(Peer& peer) noexcept {
  retire(peer.keys.take_all());
  forget_handshake(peer);
}

}  // namespace tunnel::core
