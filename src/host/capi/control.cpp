// control.cpp — the functions of tunnel/host/control.h, and of events.h the daemon's.
#include <tunnel/host/control.h>
#include <tunnel/host/events.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "host/capi/objects.h"
#include "host/control/control.h"
#include "host/system/system.h"

namespace base = tunnel::base;
namespace host = tunnel::host;

struct tunnel_control {
  std::unique_ptr<host::Server> server;
};

namespace {

std::string directory_or_default(const char* directory) {
  return directory == nullptr ? host::kSocketDirectory : directory;
}

}  // namespace

void tunnel_control_config_init(tunnel_control_config* config) {
  if (config != nullptr) *config = TUNNEL_CONTROL_CONFIG_INIT;
}

int32_t tunnel_control_open(const tunnel_control_config* config, tunnel_control** control) {
  if (control == nullptr) return TUNNEL_ERR_ARGUMENT;
  *control = nullptr;
  return host::guarded([&]() -> std::int32_t {
    tunnel_control_config known{};
    const std::int32_t status = base::read_sized(config, known);
    if (status != TUNNEL_OK) return status;
    auto server = host::Server::start(known);
    if (!server) return server.status();
    *control = new tunnel_control{std::move(*server)};
    return TUNNEL_OK;
  });
}

int32_t tunnel_control_event(tunnel_control* control, const tunnel_event* event) {
  if (control == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    tunnel_event known{};
    const std::int32_t status = base::read_sized(event, known);
    if (status == TUNNEL_OK) control->server->add_event(known);
    return status;
  });
}

int32_t tunnel_control_looked_up(tunnel_control* control, const uint8_t public_key[TUNNEL_KEY_SIZE],
                                 const char* host_name, const char* reason) {
  if (control == nullptr || public_key == nullptr || host_name == nullptr) {
    return TUNNEL_ERR_ARGUMENT;
  }
  return host::guarded([&]() -> std::int32_t {
    const std::string fault = reason == nullptr ? "" : std::string(host_name) + ": " + reason;
    control->server->looked_up(host::public_key_of(public_key), fault);
    return TUNNEL_OK;
  });
}

int32_t tunnel_control_follow(tunnel_control* control, tunnel_resolver* resolver,
                              tunnel_state* state) {
  if (control == nullptr) return TUNNEL_ERR_ARGUMENT;
  control->server->follow({resolver, state});
  return TUNNEL_OK;
}

void tunnel_control_detach(tunnel_control* control) {
  if (control != nullptr) control->server->detach();
}

void tunnel_control_close(tunnel_control* control) {
  delete control;
}

int32_t tunnel_control_list(const char* directory, char (*names)[16], size_t max, size_t* count) {
  if (count == nullptr || (names == nullptr && max != 0)) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    const auto found = host::list_daemons(directory_or_default(directory));
    if (!found) return found.status();
    *count = found->size();
    for (std::size_t i = 0; i < std::min(max, found->size()); ++i) {
      const std::string& name = (*found)[i];
      std::copy_n(name.c_str(), name.size() + 1, names[i]);
    }
    return TUNNEL_OK;
  });
}

int32_t tunnel_control_stop(const char* directory, const char* name, uint32_t timeout_ms) {
  if (name == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded(
      [&] { return host::stop_daemon(directory_or_default(directory), name, timeout_ms); });
}

int32_t tunnel_control_change_peer(const char* directory, const char* name,
                                   const tunnel_config_peer* peer, uint32_t change,
                                   uint32_t timeout_ms) {
  if (name == nullptr || change < TUNNEL_CONTROL_PEER_SET || change > TUNNEL_CONTROL_PEER_RENAME) {
    return TUNNEL_ERR_ARGUMENT;
  }
  return host::guarded([&]() -> std::int32_t {
    tunnel_config_peer known{};
    const std::int32_t status = base::read_sized(peer, known);
    if (status != TUNNEL_OK) return status;
    return host::change_peer({directory_or_default(directory), name, timeout_ms}, known, change);
  });
}

int32_t tunnel_control_sync(const char* directory, const char* name, const tunnel_config* config,
                            uint32_t timeout_ms) {
  if (name == nullptr || config == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded(
      [&] { return host::sync_daemon(directory_or_default(directory), name, config, timeout_ms); });
}

int32_t tunnel_snapshot_read(const char* directory, const char* name, uint32_t timeout_ms,
                             tunnel_snapshot** snapshot) {
  if (name == nullptr || snapshot == nullptr) return TUNNEL_ERR_ARGUMENT;
  *snapshot = nullptr;
  return host::guarded([&]() -> std::int32_t {
    auto answer = host::ask_daemon(directory_or_default(directory), name, timeout_ms);
    if (!answer) return answer.status();
    *snapshot = new tunnel_snapshot{std::move(*answer)};
    return TUNNEL_OK;
  });
}

void tunnel_snapshot_destroy(tunnel_snapshot* snapshot) {
  delete snapshot;
}

int32_t tunnel_snapshot_get_interface(const tunnel_snapshot* snapshot,
                                      tunnel_snapshot_interface* out) {
  if (snapshot == nullptr) return TUNNEL_ERR_ARGUMENT;
  tunnel_snapshot_interface value = snapshot->content.interface;
  value.file = snapshot->content.file.c_str();
  return base::write_sized(value, out);
}

int32_t tunnel_snapshot_get_counters(const tunnel_snapshot* snapshot, tunnel_counters* out) {
  if (snapshot == nullptr) return TUNNEL_ERR_ARGUMENT;
  return base::write_sized(snapshot->content.counters, out);
}

int32_t tunnel_snapshot_get_engine(const tunnel_snapshot* snapshot, tunnel_engine_counters* out) {
  if (snapshot == nullptr) return TUNNEL_ERR_ARGUMENT;
  return base::write_sized(snapshot->content.engine, out);
}

int32_t tunnel_snapshot_get_peer(const tunnel_snapshot* snapshot, size_t index,
                                 tunnel_snapshot_peer* out) {
  if (snapshot == nullptr) return TUNNEL_ERR_ARGUMENT;
  if (index >= snapshot->content.peers.size()) return TUNNEL_ERR_NOT_FOUND;
  const host::SnapshotPeer& peer = snapshot->content.peers[index];
  tunnel_snapshot_peer value = peer.info;
  value.name = peer.name.c_str();
  value.not_resolved = peer.not_resolved.c_str();
  value.allowed_ips = peer.allowed_ips.data();
  value.allowed_ip_count = peer.allowed_ips.size();
  return base::write_sized(value, out);
}
