// core.h — door of the room `core`: a whole tunnel with many peers, sans-IO.
//
// The verbs of tunnel/core.h, each in the file named after it: seal.cpp, open.cpp, poll.cpp.
// Handshakes stand in handshakes.cpp, peers in peers.cpp. One thread at a time; nothing calls out
// but to the cipher and router tables, which are pure.
#pragma once

#include <tunnel/core.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/base.h"
#include "cipher/cipher.h"
#include "core/deadline_queue.h"
#include "core/endpoint_table.h"
#include "core/event_queue.h"
#include "core/handshake_queue.h"
#include "core/index_table.h"
#include "core/owner_memo.h"
#include "core/peer.h"
#include "core/peer_table.h"
#include "core/slab.h"
#include "core/staging.h"
#include "protocol/gate.h"
#include "protocol/protocol.h"
#include "router/router.h"

namespace tunnel::core {

// Moves the first byte of a packet inside its buffer, forward or back.
inline void move_start(tunnel_packet& packet, std::int32_t by) noexcept {
  packet.data += by;
  packet.headroom += static_cast<std::uint32_t>(by);
  packet.room -= static_cast<std::uint32_t>(by);
}

// Find the links of a slot for the queues that run through the peers.
struct DeadlineLinks {
  PeerTable& peers;
  DeadlineLink& operator()(std::uint32_t slot) noexcept { return peers[slot].deadline; }
};
struct InitiationLinks {
  PeerTable& peers;
  InitiationLink& operator()(std::uint32_t slot) noexcept { return peers[slot].initiation; }
};

class Core {
 public:
  // Settings with defaults filled in and checked; only create() makes them.
  struct Settings {
    std::uint32_t profile;
    std::uint32_t mtu;
    std::uint32_t inner;
    std::uint32_t staging_bytes;
    std::uint32_t max_peers;
    std::uint32_t max_sessions;
    std::uint32_t waiting_handshakes;
    std::uint64_t timestamp_floor_ns;
    const std::uint8_t* test_seed;
    tunnel_cipher cipher;
    tunnel_router router;
  };

  static base::Result<std::unique_ptr<Core>> create(const tunnel_core_config& config);
  explicit Core(const Settings& settings);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // ---- core.cpp
  tunnel_layout layout() const noexcept;
  std::int32_t set_private_key(const std::uint8_t* key) noexcept;
  const protocol::PublicKey* public_key() const noexcept;
  void set_mtu(std::uint32_t mtu) noexcept { mtu_ = mtu; }
  std::optional<tunnel_event> next_event() noexcept { return events_.pop(); }
  tunnel_counters counters() const noexcept;
  const tunnel_cipher& cipher() const noexcept { return settings_.cipher; }

  // ---- peers.cpp
  base::Result<std::uint64_t> set_peer(const tunnel_peer_config& config);
  std::int32_t remove_peer(std::uint64_t id) noexcept;
  std::int32_t get_peer(std::uint64_t id, tunnel_peer_info& info) const noexcept;
  std::int32_t find_peer(const protocol::PublicKey& key, std::uint64_t& id) const noexcept;
  std::int32_t next_peer(std::uint64_t& cursor, std::uint64_t& id) const noexcept;
  base::Result<std::size_t> peer_prefixes(std::uint64_t id,
                                          std::span<tunnel_prefix> out) const noexcept;

  // ---- memory.cpp
  std::int32_t set_memory_limit(std::uint64_t bytes) noexcept;

  // ---- seal.cpp, open.cpp, poll.cpp. `jobs` has a place for every packet.
  void seal(std::span<tunnel_packet> packets, const tunnel_time& now) noexcept;
  std::size_t seal_plan(std::span<tunnel_packet> packets, std::span<tunnel_aead_job> jobs,
                        const tunnel_time& now) noexcept;
  void seal_commit(std::span<tunnel_packet> packets, std::span<const tunnel_aead_job> jobs,
                   const tunnel_time& now) noexcept;
  void open(std::span<tunnel_packet> packets, const tunnel_time& now) noexcept;
  std::size_t open_plan(std::span<tunnel_packet> packets, std::span<tunnel_aead_job> jobs,
                        const tunnel_time& now) noexcept;
  void open_commit(std::span<tunnel_packet> packets, std::span<const tunnel_aead_job> jobs,
                   const tunnel_time& now) noexcept;
  std::int32_t poll(std::span<tunnel_packet> packets, std::uint32_t budget,
                    const tunnel_time& now) noexcept;
  std::uint64_t deadline() const noexcept;

  // ---- handshakes.cpp
  std::int32_t initiate(std::uint64_t id, const tunnel_time& now) noexcept;
  void network_changed(const tunnel_time& now) noexcept;
  void forget_sessions() noexcept;

 private:
  static constexpr std::size_t kBatch = 128;  // as the engine's largest

  // Buffers of one poll call, filled from the front.
  struct Output {
    std::span<tunnel_packet> packets;
    std::size_t filled = 0;
    std::uint32_t budget = 0;  // Diffie-Hellman work still allowed

    bool full() const noexcept { return filled == packets.size(); }
    tunnel_packet& next() noexcept { return packets[filled]; }
  };

  // ---- core.cpp: shared by the verbs
  bool plain() const noexcept { return settings_.profile == TUNNEL_PROFILE_PLAIN; }
  void advance(const tunnel_time& now) noexcept;
  std::uint64_t now() const noexcept { return clock_.mono_ns; }
  void drop(tunnel_packet& packet, std::int32_t reason) noexcept;
  void count_drop(std::int32_t reason, std::uint64_t packets = 1) noexcept;
  void emit(std::uint32_t kind, const Peer* peer, std::int64_t value) noexcept;
  void wake(Peer& peer, std::uint64_t when) noexcept { deadlines_.bring_forward(peer.slot, when); }
  bool can_send(const Peer& peer) const noexcept;
  std::uint64_t fresh_jitter() noexcept { return random_.below(protocol::kJitter); }

  // ---- peers.cpp
  bool set_prefixes(Peer& peer, const tunnel_peer_config& config);
  std::int32_t check_peer(const tunnel_peer_config& config, const protocol::PublicKey& key,
                          const Peer* peer) const noexcept;
  void set_fields(Peer& peer, const tunnel_peer_config& config) noexcept;
  void set_endpoint(Peer& peer, const tunnel_address& endpoint) noexcept;

  // ---- memory.cpp
  std::size_t memory_bytes() const noexcept;
  bool may_grow(std::size_t bytes) const noexcept;
  void note_memory() noexcept;
  std::size_t peer_growth() const noexcept;

  // ---- seal.cpp
  void route(std::span<tunnel_packet> packets) noexcept;
  void find_owners(std::span<tunnel_packet> packets) noexcept;
  router::Owner owner_of(tunnel_packet& packet) noexcept;
  bool plan_seal(tunnel_packet& packet, tunnel_aead_job& job) noexcept;
  std::int32_t check_seal(const Peer& peer, const tunnel_packet& packet) const noexcept;
  void commit_seal(tunnel_packet& packet, const PeerSession& session,
                   const tunnel_aead_job& job) noexcept;
  void stage(Peer& peer, tunnel_packet& packet) noexcept;
  std::uint32_t plan_data(PeerSession& session, std::uint8_t* datagram, std::uint32_t length,
                          tunnel_aead_job& job) noexcept;
  void commit_sent(Peer& peer, const PeerSession& session, std::uint32_t wire_bytes,
                   bool keepalive) noexcept;

  // ---- open.cpp
  bool plan_open(tunnel_packet& packet, tunnel_aead_job& job) noexcept;
  std::optional<protocol::MessageType> classify(tunnel_packet& packet) noexcept;
  bool plan_open_data(tunnel_packet& packet, tunnel_aead_job& job) noexcept;
  void open_handshake(tunnel_packet& packet, protocol::MessageType type) noexcept;
  void open_cookie_reply(tunnel_packet& packet) noexcept;
  bool under_load() noexcept;
  bool admit_under_load(tunnel_packet& packet) noexcept;
  void commit_open(tunnel_packet& packet, PeerSession& session,
                   const tunnel_aead_job& job) noexcept;
  void deliver(Peer& peer, tunnel_packet& packet, std::uint32_t length) noexcept;
  bool source_is_allowed(const Peer& peer, tunnel_packet& packet,
                         const base::IpHeader* header) noexcept;

  // ---- plain.cpp: the same verbs for the profile without encryption
  std::int32_t check_plain(const tunnel_peer_config& config, const Peer* peer) const noexcept;
  tunnel_layout plain_layout() const noexcept;
  void seal_plain(std::span<tunnel_packet> packets) noexcept;
  void seal_plain(tunnel_packet& packet) noexcept;
  void open_plain(std::span<tunnel_packet> packets) noexcept;
  void open_plain(tunnel_packet& packet) noexcept;

  // ---- poll.cpp
  bool serve_due_peer(Output& out) noexcept;
  void expire_timers(Peer& peer) noexcept;
  void start_at_last(Peer& peer) noexcept;
  void give_up(Peer& peer) noexcept;
  bool flush_staged(Peer& peer, Output& out) noexcept;
  bool send_keepalive(Peer& peer, Output& out) noexcept;
  void send_data(Peer& peer, std::uint32_t length, Output& out) noexcept;
  bool serve_handshake(Output& out) noexcept;
  void serve_initiation(Peer& peer, Output& out) noexcept;
  void serve_message(Output& out) noexcept;

  // ---- handshakes.cpp
  bool handshake_asked_for(const Peer& peer) const noexcept;
  void want_handshake(Peer& peer) noexcept;
  void want_rekey(Peer& peer) noexcept;
  bool throttled(const Peer& peer) const noexcept;
  PeerHandshake* keep_handshake(Peer& peer, const protocol::Key& static_static) noexcept;
  bool static_static(const Peer& peer, protocol::Key& out) const noexcept;
  std::int32_t make_initiation(Peer& peer, tunnel_packet& packet) noexcept;
  std::int32_t answer_initiation(const QueuedHandshake& message, tunnel_packet& packet) noexcept;
  std::int32_t check_initiation(const Peer& peer, const protocol::Timestamp& stamp) const noexcept;
  std::int32_t respond(Peer& peer, protocol::Responder& responder, const QueuedHandshake& message,
                       tunnel_packet& packet) noexcept;
  bool initiation_is_stale(const Peer& peer) const noexcept;
  std::int32_t accept_response(const QueuedHandshake& message) noexcept;
  void finish_handshake_packet(Peer& peer, tunnel_packet& packet, std::uint32_t length) noexcept;
  void established(Peer& peer, bool initiator) noexcept;
  void report_floor() noexcept;
  void report_unknown(const protocol::PublicKey& key) noexcept;
  void learn_endpoint(Peer& peer, const tunnel_address& remote,
                      const tunnel_address& local) noexcept;
  void note_received(Peer& peer) noexcept;

  // ---- sessions.cpp
  PeerSession* take_session(Peer& peer) noexcept;
  std::uint32_t fresh_index(const Peer& peer) noexcept;
  PeerSession* begin_session(Peer& peer, const protocol::SessionKeys& keys,
                             std::uint32_t local_index, std::uint32_t remote_index,
                             bool initiator) noexcept;
  void retire(std::span<PeerSession* const> sessions) noexcept;
  void retire(PeerSession* session) noexcept;
  void reap() noexcept;  // frees what was retired and no planned packet refers to
  static void clear_plan(tunnel_packet& packet) noexcept { packet.internal[0] = 0; }
  static void set_plan(tunnel_packet& packet, PeerSession& session) noexcept;
  static PeerSession* take_plan(tunnel_packet& packet) noexcept;
  void forget_initiation(Peer& peer) noexcept;
  void forget_handshake(Peer& peer) noexcept;
  void forget_keys(Peer& peer) noexcept;

  Settings settings_;
  std::uint32_t mtu_;
  bool has_key_ = false;
  protocol::Identity us_;
  cipher::Random random_;
  tunnel_time clock_{};
  std::uint64_t jitter_;  // used by the packet path, which draws no random numbers

  PeerTable peers_;
  DeadlineQueue<DeadlineLinks> deadlines_{{peers_}};
  InitiationQueue<InitiationLinks> initiations_{{peers_}};
  router::PrefixTable allowed_ips_;
  OwnerMemo owner_memo_;     // forgotten whenever those change
  EndpointTable endpoints_;  // plain profile only, else empty
  IndexTable indices_;
  Slab<PeerSession> sessions_;
  Slab<PeerHandshake> handshakes_;
  PeerSession* retired_ = nullptr;
  Staging staging_;

  HandshakeQueue queue_;
  bool answer_next_ = false;  // whose turn it is to use the budget of poll
  protocol::CookieIssuer cookies_;
  protocol::RateLimiter limiter_;
  std::uint64_t loaded_until_ = 0;
  bool loaded_ = false;
  protocol::TimestampSource timestamps_;
  std::uint64_t stored_floor_;
  std::uint64_t unknown_reported_at_ = Peer::kNever;

  std::uint64_t memory_limit_ = 0;  // 0 = none
  std::uint64_t memory_peak_ = 0;

  EventQueue events_;
  tunnel_counters counters_{};
};

}  // namespace tunnel::core
