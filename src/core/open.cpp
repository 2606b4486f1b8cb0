// open.cpp — datagrams become inside packets.
//
//   1. plan    ordered    type and length; handshakes go through the gate into their queue; data
//                         messages find their session
//   2. crypt   parallel   the cipher table opens the batch; needs nothing but its jobs
//   3. commit  ordered    replay, endpoint, key rotation, rekey, timers, inside header, owner,
//                         verdict
//
// Callers may do stage 2 themselves, on other threads: then other calls come between 1 and 3.
//
// No Diffie-Hellman happens here, and nothing allocates, blocks or answers a stranger, except by a
// cookie reply under load, which is smaller than what caused it.
#include <algorithm>
#include <cstring>

#include "core/core.h"

namespace tunnel::core {

using protocol::MessageType;

void Core::open(std::span<tunnel_packet> packets, const tunnel_time& now) noexcept {
  std::array<tunnel_aead_job, kBatch> jobs;
  while (!packets.empty()) {
    const auto batch = packets.first(std::min(packets.size(), kBatch));
    const auto count = open_plan(batch, jobs, now);
    if (count > 0) settings_.cipher.ops->open(settings_.cipher.self, jobs.data(), count);
    open_commit(batch, jobs, now);
    packets = packets.subspan(batch.size());
  }
}

std::size_t Core::open_plan(std::span<tunnel_packet> packets, std::span<tunnel_aead_job> jobs,
                            const tunnel_time& now) noexcept {
  advance(now);
  for (auto& packet : packets) clear_plan(packet);
  if (plain()) return open_plain(packets), 0;
  std::size_t count = 0;
  for (auto& packet : packets) count += plan_open(packet, jobs[count]);
  return count;
}

void Core::open_commit(std::span<tunnel_packet> packets, std::span<const tunnel_aead_job> jobs,
                       const tunnel_time& now) noexcept {
  advance(now);
  const auto* job = jobs.data();
  for (auto& packet : packets) {
    if (auto* session = take_plan(packet); session != nullptr) {
      commit_open(packet, *session, *job++);
    }
  }
  reap();
}

// ---- stage 1

// True when the packet needs the job.
bool Core::plan_open(tunnel_packet& packet, tunnel_aead_job& job) noexcept {
  packet.verdict = TUNNEL_VERDICT_NONE;
  packet.peer = 0;
  ++counters_.rx_packets;
  counters_.rx_bytes += packet.length;
  const auto type = classify(packet);
  if (!type) return false;
  switch (*type) {
    case MessageType::data:
      return plan_open_data(packet, job);
    case MessageType::cookie:
      open_cookie_reply(packet);
      return false;
    case MessageType::initiation:
    case MessageType::response:
      open_handshake(packet, *type);
      return false;
  }
  return false;
}

// Nothing when it was dropped.
std::optional<MessageType> Core::classify(tunnel_packet& packet) noexcept {
  if (!has_key_) {
    drop(packet, TUNNEL_DROP_NO_KEY);
    return std::nullopt;
  }
  if ((packet.flags & TUNNEL_PACKET_TRUNCATED) != 0) {
    drop(packet, TUNNEL_DROP_TOO_BIG);
    return std::nullopt;
  }
  const auto type = protocol::classify({packet.data, packet.length});
  if (!type) drop(packet, TUNNEL_DROP_MALFORMED);
  return type;
}

bool Core::plan_open_data(tunnel_packet& packet, tunnel_aead_job& job) noexcept {
  const auto header = protocol::read_data_header(packet.data);
  const auto* entry = indices_.find(header.receiver);
  if (entry == nullptr || entry->session == nullptr) {
    drop(packet, TUNNEL_DROP_UNKNOWN_INDEX);
    return false;
  }
  auto& session = *entry->session;
  if (session.session.can_open(header.counter, now()) != TUNNEL_OK) {
    drop(packet, TUNNEL_DROP_EXPIRED_KEY);
    return false;
  }
  auto* inside = packet.data + protocol::kDataHeaderSize;
  job = {.key = session.session.receive_key(),
         .counter = header.counter,
         .in = inside,
         .out = inside,
         .length = packet.length - static_cast<std::uint32_t>(protocol::kDataHeaderSize),
         .result = TUNNEL_DROP_FORGED,  // until it is proved to be authentic
         .reserved = {}};
  set_plan(packet, session);
  return true;
}

// The gate: mac1 always, mac2 and the limiter under load. What passes waits for poll.
void Core::open_handshake(tunnel_packet& packet, MessageType type) noexcept {
  const base::Bytes message{packet.data, packet.length};
  if (!protocol::check_mac1(us_, message)) return drop(packet, TUNNEL_DROP_MAC1);
  if (type == MessageType::response) {
    const auto* entry = indices_.find(protocol::receiver_index(message));
    if (entry == nullptr || entry->session != nullptr) {
      return drop(packet, TUNNEL_DROP_UNKNOWN_INDEX);
    }
  }
  if (under_load() && !admit_under_load(packet)) return;
  if (!queue_.push(packet)) return drop(packet, TUNNEL_DROP_BUSY);
  packet.verdict = TUNNEL_VERDICT_CONSUMED;
}

// Sticky for a second, so that a load near the threshold does not flicker.
bool Core::under_load() noexcept {
  if (queue_.crowded()) loaded_until_ = now() + protocol::kSecond;
  const bool loaded = now() < loaded_until_;
  if (loaded != loaded_) {
    loaded_ = loaded;
    emit(TUNNEL_EVENT_UNDER_LOAD, nullptr, loaded ? 1 : 0);
  }
  return loaded;
}

// True when the sender proved that it owns its address and did not ask too often.
bool Core::admit_under_load(tunnel_packet& packet) noexcept {
  const base::Bytes message{packet.data, packet.length};
  if (cookies_.check_mac2(message, packet.remote, now(), random_)) {
    if (limiter_.allow(packet.remote, now())) return true;
    drop(packet, TUNNEL_DROP_RATE_LIMITED);
    return false;
  }
  cookies_.reply(us_, {packet.data, packet.length}, packet.remote, now(), random_);
  packet.length = protocol::kCookieReplySize;
  packet.verdict = TUNNEL_VERDICT_REPLY;
  packet.flags |= TUNNEL_PACKET_HANDSHAKE;
  ++counters_.cookie_replies;
  ++counters_.tx_packets;
  counters_.tx_bytes += packet.length;
  return false;
}

// A cookie answers the mac1 we sent last, once, and never moves the endpoint. The next retry uses
// it.
void Core::open_cookie_reply(tunnel_packet& packet) noexcept {
  const protocol::CookieReplyBytes reply(packet.data, protocol::kCookieReplySize);
  const auto* entry = indices_.find(protocol::receiver_index(reply));
  if (entry == nullptr) return drop(packet, TUNNEL_DROP_COOKIE);
  auto& peer = peers_[entry->slot];
  const bool initiation = entry->session == nullptr;
  auto& welcome = initiation ? peer.handshake->cookie_welcome : entry->session->cookie_welcome;
  const auto& mac1 = initiation ? peer.handshake->initiation_mac1 : entry->session->response_mac1;
  if (!welcome || !peer.cookies.accept(reply, peer.public_key, mac1, now())) {
    return drop(packet, TUNNEL_DROP_COOKIE);
  }
  welcome = false;
  ++counters_.cookies_received;
  packet.peer = peer.id();
  packet.verdict = TUNNEL_VERDICT_CONSUMED;
}

// ---- stage 3

void Core::commit_open(tunnel_packet& packet, PeerSession& session,
                       const tunnel_aead_job& job) noexcept {
  if (job.result != TUNNEL_OK) return drop(packet, TUNNEL_DROP_FORGED);
  if (session.retired) return drop(packet, TUNNEL_DROP_EXPIRED_KEY);
  const bool newest = session.session.window().is_newest(job.counter);
  if (!session.session.window().accept(job.counter)) return drop(packet, TUNNEL_DROP_REPLAY);

  auto& peer = peers_[session.slot];
  packet.peer = peer.id();
  session.received_at = now();
  // Late packets come from where the peer was, so only the newest one moves the endpoint.
  if (newest) learn_endpoint(peer, packet.remote, packet.local);
  if (peer.keys.is_next(&session)) {
    retire(peer.keys.confirmed());
    established(peer, false);
  }
  auto* current = peer.keys.current();
  if (current != nullptr && current->session.wants_rekey_after_receive(now())) want_handshake(peer);
  note_received(peer);

  const auto length = job.length - TUNNEL_AEAD_TAG;
  if (length == 0) {
    peer.rx_bytes += packet.length;
    ++counters_.keepalives_received;
    packet.verdict = TUNNEL_VERDICT_CONSUMED;
    return;
  }
  peer.timers.data_received(now());
  wake(peer, peer.timers.deadline());
  deliver(peer, packet, length);
}

void Core::deliver(Peer& peer, tunnel_packet& packet, std::uint32_t length) noexcept {
  const auto wire_bytes = packet.length;
  move_start(packet, protocol::kDataHeaderSize);
  packet.length = length;
  if (settings_.inner == TUNNEL_INNER_IP) {
    const auto header = base::read_ip_header({packet.data, length});
    if (!header) return drop(packet, TUNNEL_DROP_INNER_MALFORMED);
    packet.length = header->total_length;  // what follows is padding
    if (!source_is_allowed(peer, packet, &*header)) return drop(packet, TUNNEL_DROP_NOT_ALLOWED);
  } else {
    packet.flags |= TUNNEL_PACKET_ETHERNET;
    if (!source_is_allowed(peer, packet, nullptr)) return drop(packet, TUNNEL_DROP_NOT_ALLOWED);
  }
  peer.rx_bytes += wire_bytes;
  ++counters_.delivered_packets;
  counters_.delivered_bytes += packet.length;
  packet.verdict = TUNNEL_VERDICT_DELIVER;
}

// Asks the table of the whole tunnel, not the peer's own list: with overlapping prefixes only the
// longest one counts.
bool Core::source_is_allowed(const Peer& peer, tunnel_packet& packet,
                             const base::IpHeader* header) noexcept {
  const auto& custom = settings_.router;
  if (custom.ops == nullptr) {
    return owner_memo_.find(allowed_ips_, header->source) == peer.slot;
  }
  custom.ops->owner(custom.self, TUNNEL_INBOUND, &packet, 1);
  const bool allowed = packet.peer == peer.id();
  packet.peer = peer.id();
  return allowed;
}

}  // namespace tunnel::core
