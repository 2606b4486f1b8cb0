#include "core/core.h"

#include <algorithm>

namespace tunnel::core {

namespace {

constexpr std::uint32_t kDefaultStaging = 1u << 20;
constexpr std::uint32_t kSmallStaging = 256u << 10;
constexpr std::uint32_t kDefaultWaiting = 1024;  // handshake messages
constexpr std::uint32_t kSmallWaiting = 128;
constexpr std::uint32_t kDefaultPeers = 1u << 20;
constexpr std::uint32_t kMaxMtu = 65535;

std::uint32_t or_default(std::uint32_t value, std::uint32_t fallback) noexcept {
  return value == 0 ? fallback : value;
}

bool is_small(const tunnel_core_config& config) noexcept {
  return (config.flags & TUNNEL_CORE_SMALL) != 0;
}

bool complete(const tunnel_cipher_ops& ops) noexcept {
  return ops.size >= sizeof(tunnel_cipher_ops) && ops.key_size <= TUNNEL_CIPHER_KEY_MAX &&
         ops.key_init != nullptr && ops.seal != nullptr && ops.open != nullptr;
}

std::int32_t check(const tunnel_core_config& config) noexcept {
  if (config.profile > TUNNEL_PROFILE_PLAIN) return TUNNEL_ERR_UNSUPPORTED;
  if (config.inner > TUNNEL_INNER_ETHERNET || (config.flags & ~TUNNEL_CORE_SMALL) != 0) {
    return TUNNEL_ERR_ARGUMENT;
  }
  // The plain format carries IP packets and says nothing about what else a datagram could be.
  if (config.profile == TUNNEL_PROFILE_PLAIN && config.inner != TUNNEL_INNER_IP) {
    return TUNNEL_ERR_UNSUPPORTED;
  }
  if (config.mtu > kMaxMtu && config.mtu != TUNNEL_MTU_ZERO) return TUNNEL_ERR_ARGUMENT;
  if (config.inner == TUNNEL_INNER_ETHERNET && config.router.ops == nullptr) {
    return TUNNEL_ERR_ARGUMENT;
  }
  if (config.router.ops != nullptr && config.router.ops->owner == nullptr) {
    return TUNNEL_ERR_ARGUMENT;
  }
  if (config.cipher.ops != nullptr && !complete(*config.cipher.ops)) return TUNNEL_ERR_ARGUMENT;
  return TUNNEL_OK;
}

// Without handshakes nothing waits for one.
std::uint32_t staging_bytes(const tunnel_core_config& config) noexcept {
  const bool none =
      config.profile == TUNNEL_PROFILE_PLAIN || config.staging_bytes == TUNNEL_STAGING_NONE;
  return none
             ? 0
             : or_default(config.staging_bytes, is_small(config) ? kSmallStaging : kDefaultStaging);
}

Core::Settings with_defaults(const tunnel_core_config& config) noexcept {
  const bool small = is_small(config);
  const auto max_peers = or_default(config.max_peers, kDefaultPeers);
  // As many as a peer's keyring holds: then no peer can keep another one from its session.
  const auto every_place =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(std::uint64_t{4} * max_peers, UINT32_MAX));
  return {
      .profile = config.profile,
      .mtu = config.mtu == TUNNEL_MTU_ZERO ? 0 : or_default(config.mtu, TUNNEL_MTU_DEFAULT),
      .inner = config.inner,
      .staging_bytes = staging_bytes(config),
      .max_peers = max_peers,
      .max_sessions = or_default(config.max_sessions, every_place),
      .waiting_handshakes = small ? kSmallWaiting : kDefaultWaiting,
      .timestamp_floor_ns = config.timestamp_floor_ns,
      .test_seed = config.test_seed,
      .cipher = config.cipher,
      .router = config.router,
  };
}

cipher::Random make_random(const std::uint8_t* seed) {
  return seed == nullptr ? cipher::Random() : cipher::Random(base::BytesOf<32>(seed, 32));
}

std::uint64_t random64(cipher::Random& random) noexcept {
  return std::uint64_t{random.next32()} << 32 | random.next32();
}

}  // namespace

base::Result<std::unique_ptr<Core>> Core::create(const tunnel_core_config& config) {
  if (const auto status = check(config); status != TUNNEL_OK) return base::Error{status};
  if (!cipher::initialize()) return base::Error{TUNNEL_ERR_UNAVAILABLE};
  auto settings = with_defaults(config);
  if (settings.cipher.ops == nullptr) {
    const auto status = cipher::find_provider(nullptr, settings.cipher);
    if (status != TUNNEL_OK) return base::Error{status};
  } else if (!cipher::passes_self_check(settings.cipher)) {
    return base::Error{TUNNEL_ERR_SELF_TEST};
  }
  return std::make_unique<Core>(settings);
}

Core::Core(const Settings& settings)
    : settings_(settings),
      mtu_(settings.mtu),
      random_(make_random(settings.test_seed)),
      jitter_(random_.below(protocol::kJitter)),
      peers_(settings.max_peers, random64(random_)),
      endpoints_(random64(random_)),
      sessions_(settings.max_sessions),
      handshakes_(settings.max_sessions),
      staging_(settings.staging_bytes),
      queue_(settings.waiting_handshakes),
      limiter_(random_),
      timestamps_(settings.timestamp_floor_ns),
      stored_floor_(settings.timestamp_floor_ns) {
  settings_.test_seed = nullptr;  // the caller's memory; not ours after create
  note_memory();
}

Core::~Core() {
  forget_sessions();
  // Keys are wiped even when a caller left packets between plan and commit.
  for (; retired_ != nullptr; reap()) retired_->planned = 0;
  for (std::uint32_t slot = 0; slot < peers_.slots(); ++slot) staging_.clear(peers_[slot].staged);
}

tunnel_layout Core::layout() const noexcept {
  if (plain()) return plain_layout();
  // MTU 0 bounds nothing, not even the padding.
  const auto inside = mtu_ == 0 ? protocol::padded_length(TUNNEL_MTU_DEFAULT, 0) : mtu_;
  return {
      .size = sizeof(tunnel_layout),
      .headroom = protocol::kDataHeaderSize,
      .tailroom = TUNNEL_AEAD_TAG,
      .padding = 16,
      .mtu = mtu_,
      .poll_buffer = std::max<std::uint32_t>(
          TUNNEL_HANDSHAKE_MAX, inside + static_cast<std::uint32_t>(protocol::kDataOverhead)),
      .profile = TUNNEL_PROFILE_WIREGUARD,
  };
}

std::int32_t Core::set_private_key(const std::uint8_t* key) noexcept {
  // To take a key and not to use it would promise what this profile does not give.
  if (key != nullptr && plain()) return TUNNEL_ERR_UNSUPPORTED;
  if (key == nullptr) {
    forget_sessions();
    us_.clear();
    has_key_ = false;
    return TUNNEL_OK;
  }
  cipher::Key clamped{base::BytesOf<32>(key, 32)};
  cipher::clamp(clamped);
  if (has_key_ && base::equal_constant_time(clamped.bytes(), us_.private_key.bytes())) {
    return TUNNEL_OK;
  }
  forget_sessions();
  us_.assign(clamped.bytes());
  has_key_ = true;
  if (const auto* self = peers_.find(us_.public_key)) remove_peer(self->id());
  return TUNNEL_OK;
}

const protocol::PublicKey* Core::public_key() const noexcept {
  return has_key_ ? &us_.public_key : nullptr;
}

tunnel_counters Core::counters() const noexcept {
  auto counters = counters_;
  counters.size = sizeof counters;
  counters.under_load = loaded_ ? 1 : 0;
  counters.timestamp_floor_ns = stored_floor_;
  counters.staged_packets = staging_.packets();
  counters.peers = peers_.size();
  counters.sessions = sessions_.in_use();
  counters.memory_bytes = memory_bytes();
  counters.memory_peak_bytes = memory_peak_;
  return counters;
}

// A clock that steps back stands still here: ages never become negative.
void Core::advance(const tunnel_time& now) noexcept {
  clock_.mono_ns = std::max(clock_.mono_ns, now.mono_ns);
  clock_.wall_ns = now.wall_ns;
}

void Core::drop(tunnel_packet& packet, std::int32_t reason) noexcept {
  packet.verdict = reason;
  count_drop(reason);
}

void Core::count_drop(std::int32_t reason, std::uint64_t packets) noexcept {
  counters_.drops[reason - TUNNEL_DROP_FIRST] += packets;
}

void Core::emit(std::uint32_t kind, const Peer* peer, std::int64_t value) noexcept {
  tunnel_event event{};
  event.size = sizeof event;
  event.kind = kind;
  event.value = value;
  event.mono_ns = now();
  if (peer != nullptr) {
    event.peer = peer->id();
    event.address = peer->endpoint;
    std::copy(peer->public_key.begin(), peer->public_key.end(), event.public_key);
  }
  events_.push(event);
}

bool Core::can_send(const Peer& peer) const noexcept {
  const auto* current = peer.keys.current();
  return current != nullptr && current->session.can_send(now());
}

}  // namespace tunnel::core
