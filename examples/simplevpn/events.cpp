#include "events.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "format.h"

namespace simplevpn {
namespace {

using nlohmann::ordered_json;

std::string peer_name(const PeerNames& names, const std::uint8_t* public_key) {
  const auto found = names.find(public_key_of(public_key));
  return found == names.end() ? public_key_text(public_key) : found->second;
}

void log_peer_event(Log& log, const std::string& peer, const tunnel_event& event) {
  switch (event.kind) {
    case TUNNEL_EVENT_HANDSHAKE:
      return log.write(Level::info, "handshake",
                       {{"peer", peer}, {"role", event.value == 1 ? "initiator" : "responder"}});
    case TUNNEL_EVENT_HANDSHAKE_FAILED:
      return log.write(Level::warning, "handshake_failed",
                       {{"peer", peer}, {"reason", "no answer for 90 s"}});
    case TUNNEL_EVENT_ENDPOINT:
      return log.write(Level::info, "endpoint",
                       {{"peer", peer}, {"endpoint", address_text(event.address)}});
    case TUNNEL_EVENT_PEER_EXPIRED:
      return log.write(Level::info, "session_expired", {{"peer", peer}});
    case TUNNEL_EVENT_TIMESTAMP:
      return log.write(Level::debug, "initiation", {{"peer", peer}});
    default:
      return log.write(Level::debug, "event", {{"peer", peer}, {"kind", event.kind}});
  }
}

void log_tunnel_event(Log& log, const tunnel_event& event) {
  switch (event.kind) {
    case TUNNEL_EVENT_UNDER_LOAD:
      return log.write(Level::warning, event.value != 0 ? "under_load" : "load_relaxed");
    case TUNNEL_EVENT_UNKNOWN_KEY:
      return log.write(Level::warning, "unknown_peer",
                       {{"public_key", public_key_text(event.public_key)},
                        {"endpoint", address_text(event.address)}});
    case TUNNEL_EVENT_OVERFLOW:
      return log.write(Level::warning, "events_lost", {{"count", event.value}});
    case TUNNEL_EVENT_NETWORK:
      return log.write(Level::info, "network_changed");
    case TUNNEL_EVENT_DEVICE_LOST:
      return log.write(Level::error, "interface_lost");
    case TUNNEL_EVENT_TRANSPORT:
      return log.write(Level::warning, "transport",
                       {{"reason", tunnel_status_text(static_cast<std::int32_t>(event.value))}});
    case TUNNEL_EVENT_TIMESTAMP_FLOOR:
      return log.write(Level::debug, "timestamp_floor");
    default:
      return log.write(Level::debug, "event", {{"kind", event.kind}});
  }
}

}  // namespace

void log_event(Log& log, const PeerNames& names, const tunnel_event& event) {
  if (event.peer == 0) return log_tunnel_event(log, event);
  log_peer_event(log, peer_name(names, event.public_key), event);
}

PublicKey public_key_of(const std::uint8_t* bytes) {
  PublicKey key{};
  std::copy_n(bytes, key.size(), key.begin());
  return key;
}

PeerNames peer_names(const tunnel_config* config) {
  PeerNames names;
  tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
  for (std::size_t i = 0; tunnel_config_get_peer(config, i, &peer) == TUNNEL_OK; ++i) {
    const std::string name = tunnel_config_peer_name(config, peer.public_key);
    if (!name.empty()) names[public_key_of(peer.public_key)] = name;
  }
  return names;
}

}  // namespace simplevpn
