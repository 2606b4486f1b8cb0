#include <tunnel/core.h>

#include "base/base.h"
#include "core/core.h"

using tunnel::base::guarded;
using tunnel::base::read_sized;
using tunnel::base::write_sized;
using tunnel::core::Core;

struct tunnel_core {
  std::unique_ptr<Core> core;
};

namespace {

tunnel::protocol::PublicKey public_key_of(const std::uint8_t* bytes) noexcept {
  tunnel::protocol::PublicKey key;
  std::memcpy(key.data(), bytes, key.size());
  return key;
}

// What set_peer was given. Wiped also when it runs out of memory.
struct KnownPeer {
  tunnel_peer_config config;
  ~KnownPeer() { tunnel::base::wipe(config.preshared_key, sizeof config.preshared_key); }
};

bool usable(const tunnel_core* core, const tunnel_packet* packets, std::size_t count,
            const tunnel_time* now) noexcept {
  return core != nullptr && now != nullptr && (packets != nullptr || count == 0);
}

// The number of jobs is returned, so it must fit.
bool usable(const tunnel_core* core, const tunnel_packet* packets, const tunnel_aead_job* jobs,
            std::size_t count, const tunnel_time* now) noexcept {
  return usable(core, packets, count, now) && (jobs != nullptr || count == 0) && count <= INT32_MAX;
}

}  // namespace

extern "C" {

void tunnel_core_config_init(tunnel_core_config* config) {
  if (config == nullptr) return;
  *config = {};
  config->size = sizeof *config;
}

void tunnel_peer_config_init(tunnel_peer_config* config) {
  if (config == nullptr) return;
  *config = {};
  config->size = sizeof *config;
}

int32_t tunnel_core_create(const tunnel_core_config* config, tunnel_core** core) {
  return guarded([&]() -> std::int32_t {
    if (core == nullptr) return TUNNEL_ERR_ARGUMENT;
    *core = nullptr;
    tunnel_core_config known;
    if (const auto status = read_sized(config, known); status != TUNNEL_OK) return status;
    auto handle = std::make_unique<tunnel_core>();
    auto created = Core::create(known);
    if (!created) return created.status();
    handle->core = std::move(*created);
    *core = handle.release();
    return TUNNEL_OK;
  });
}

void tunnel_core_destroy(tunnel_core* core) {
  delete core;
}

int32_t tunnel_core_layout(const tunnel_core* core, tunnel_layout* layout) {
  if (core == nullptr) return TUNNEL_ERR_ARGUMENT;
  return write_sized(core->core->layout(), layout);
}

int32_t tunnel_core_set_private_key(tunnel_core* core, const uint8_t* key) {
  if (core == nullptr) return TUNNEL_ERR_ARGUMENT;
  return core->core->set_private_key(key);
}

int32_t tunnel_core_set_memory_limit(tunnel_core* core, uint64_t bytes) {
  if (core == nullptr) return TUNNEL_ERR_ARGUMENT;
  return core->core->set_memory_limit(bytes);
}

int32_t tunnel_core_public_key(const tunnel_core* core, uint8_t key[TUNNEL_KEY_SIZE]) {
  if (core == nullptr || key == nullptr) return TUNNEL_ERR_ARGUMENT;
  const auto* ours = core->core->public_key();
  if (ours == nullptr) return TUNNEL_ERR_NOT_FOUND;
  std::memcpy(key, ours->data(), ours->size());
  return TUNNEL_OK;
}

int32_t tunnel_core_set_mtu(tunnel_core* core, uint32_t mtu) {
  if (core == nullptr || mtu > UINT16_MAX) return TUNNEL_ERR_ARGUMENT;
  core->core->set_mtu(mtu);
  return TUNNEL_OK;
}

int32_t tunnel_core_set_peer(tunnel_core* core, const tunnel_peer_config* config, uint64_t* peer) {
  return guarded([&]() -> std::int32_t {
    if (core == nullptr) return TUNNEL_ERR_ARGUMENT;
    KnownPeer known;
    if (const auto status = read_sized(config, known.config); status != TUNNEL_OK) return status;
    const auto id = core->core->set_peer(known.config);
    if (id && peer != nullptr) *peer = *id;
    return id.status();
  });
}

int32_t tunnel_core_remove_peer(tunnel_core* core, uint64_t peer) {
  if (core == nullptr) return TUNNEL_ERR_ARGUMENT;
  return core->core->remove_peer(peer);
}

int32_t tunnel_core_get_peer(const tunnel_core* core, uint64_t peer, tunnel_peer_info* info) {
  if (core == nullptr) return TUNNEL_ERR_ARGUMENT;
  tunnel_peer_info found;
  const auto status = core->core->get_peer(peer, found);
  if (status != TUNNEL_OK) return status;
  const auto written = write_sized(found, info);
  tunnel::base::wipe(found.preshared_key, sizeof found.preshared_key);
  return written;
}

int32_t tunnel_core_find_peer(const tunnel_core* core, const uint8_t public_key[TUNNEL_KEY_SIZE],
                              uint64_t* peer) {
  if (core == nullptr || public_key == nullptr || peer == nullptr) return TUNNEL_ERR_ARGUMENT;
  return core->core->find_peer(public_key_of(public_key), *peer);
}

int32_t tunnel_core_next_peer(const tunnel_core* core, uint64_t* cursor, uint64_t* peer) {
  if (core == nullptr || cursor == nullptr || peer == nullptr) return TUNNEL_ERR_ARGUMENT;
  return core->core->next_peer(*cursor, *peer);
}

int32_t tunnel_core_peer_prefixes(const tunnel_core* core, uint64_t peer, tunnel_prefix* prefixes,
                                  size_t max, size_t* count) {
  if (core == nullptr || (prefixes == nullptr && max > 0)) return TUNNEL_ERR_ARGUMENT;
  const auto found = core->core->peer_prefixes(peer, {prefixes, max});
  if (found && count != nullptr) *count = *found;
  return found.status();
}

int32_t tunnel_core_seal(tunnel_core* core, tunnel_packet* packets, size_t count,
                         const tunnel_time* now) {
  if (!usable(core, packets, count, now)) return TUNNEL_ERR_ARGUMENT;
  core->core->seal({packets, count}, *now);
  return TUNNEL_OK;
}

int32_t tunnel_core_seal_plan(tunnel_core* core, tunnel_packet* packets, size_t count,
                              tunnel_aead_job* jobs, const tunnel_time* now) {
  if (!usable(core, packets, jobs, count, now)) return TUNNEL_ERR_ARGUMENT;
  return static_cast<std::int32_t>(core->core->seal_plan({packets, count}, {jobs, count}, *now));
}

int32_t tunnel_core_seal_commit(tunnel_core* core, tunnel_packet* packets, size_t count,
                                const tunnel_aead_job* jobs, const tunnel_time* now) {
  if (!usable(core, packets, jobs, count, now)) return TUNNEL_ERR_ARGUMENT;
  core->core->seal_commit({packets, count}, {jobs, count}, *now);
  return TUNNEL_OK;
}

int32_t tunnel_core_open_plan(tunnel_core* core, tunnel_packet* packets, size_t count,
                              tunnel_aead_job* jobs, const tunnel_time* now) {
  if (!usable(core, packets, jobs, count, now)) return TUNNEL_ERR_ARGUMENT;
  return static_cast<std::int32_t>(core->core->open_plan({packets, count}, {jobs, count}, *now));
}

int32_t tunnel_core_open_commit(tunnel_core* core, tunnel_packet* packets, size_t count,
                                const tunnel_aead_job* jobs, const tunnel_time* now) {
  if (!usable(core, packets, jobs, count, now)) return TUNNEL_ERR_ARGUMENT;
  core->core->open_commit({packets, count}, {jobs, count}, *now);
  return TUNNEL_OK;
}

int32_t tunnel_core_open(tunnel_core* core, tunnel_packet* packets, size_t count,
                         const tunnel_time* now) {
  if (!usable(core, packets, count, now)) return TUNNEL_ERR_ARGUMENT;
  core->core->open({packets, count}, *now);
  return TUNNEL_OK;
}

int32_t tunnel_core_poll(tunnel_core* core, tunnel_packet* packets, size_t count, uint32_t budget,
                         const tunnel_time* now) {
  if (!usable(core, packets, count, now) || count > INT32_MAX) return TUNNEL_ERR_ARGUMENT;
  const auto needed = core->core->layout().poll_buffer;
  for (size_t i = 0; i < count; ++i) {
    if (packets[i].data == nullptr || packets[i].room < needed) return TUNNEL_ERR_ARGUMENT;
  }
  return core->core->poll({packets, count}, budget, *now);
}

uint64_t tunnel_core_deadline(const tunnel_core* core) {
  return core == nullptr ? TUNNEL_TIME_NEVER : core->core->deadline();
}

int32_t tunnel_core_initiate(tunnel_core* core, uint64_t peer, const tunnel_time* now) {
  if (core == nullptr || now == nullptr) return TUNNEL_ERR_ARGUMENT;
  return core->core->initiate(peer, *now);
}

int32_t tunnel_core_network_changed(tunnel_core* core, const tunnel_time* now) {
  if (core == nullptr || now == nullptr) return TUNNEL_ERR_ARGUMENT;
  core->core->network_changed(*now);
  return TUNNEL_OK;
}

int32_t tunnel_core_forget_sessions(tunnel_core* core) {
  if (core == nullptr) return TUNNEL_ERR_ARGUMENT;
  core->core->forget_sessions();
  return TUNNEL_OK;
}

int32_t tunnel_core_next_event(tunnel_core* core, tunnel_event* event) {
  if (core == nullptr || event == nullptr) return TUNNEL_ERR_ARGUMENT;
  const auto oldest = core->core->next_event();
  if (!oldest) return 0;
  const auto status = write_sized(*oldest, event);
  return status == TUNNEL_OK ? 1 : status;
}

int32_t tunnel_core_counters(const tunnel_core* core, tunnel_counters* counters) {
  if (core == nullptr) return TUNNEL_ERR_ARGUMENT;
  return write_sized(core->core->counters(), counters);
}

int32_t tunnel_core_cipher(const tunnel_core* core, tunnel_cipher* cipher) {
  if (core == nullptr || cipher == nullptr) return TUNNEL_ERR_ARGUMENT;
  *cipher = core->core->cipher();
  return TUNNEL_OK;
}

}  // extern "C"
