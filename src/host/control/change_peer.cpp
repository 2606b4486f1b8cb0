// change_peer.cpp — one peer of a running tunnel, by `set=1`: what a configuration says of it.
#include <string>

#include "host/config/config.h"
#include "host/control/client.h"
#include "host/control/uapi_write.h"
#include "host/system/system.h"

namespace tunnel::host {
namespace {

using KeyBytes = base::BytesOf<TUNNEL_KEY_SIZE>;

void write_content(const tunnel_config_peer& peer, base::WipedBuffer& out) {
  if (peer.preshared_key != nullptr) {
    write_key("preshared_key", KeyBytes(peer.preshared_key, TUNNEL_KEY_SIZE), out);
  }
  if (peer.endpoint.family != TUNNEL_FAMILY_NONE) {
    out.append("endpoint=" + address_text(peer.endpoint) + "\n");
  }
  out.append("persistent_keepalive_interval=" + std::to_string(peer.keepalive_s) + "\n");
  out.append("replace_allowed_ips=true\n");
  for (std::size_t i = 0; i < peer.allowed_ip_count; ++i) {
    out.append("allowed_ip=" + prefix_text(peer.allowed_ips[i]) + "\n");
  }
}

}  // namespace

std::int32_t change_peer(const DaemonPlace& place, const tunnel_config_peer& peer,
                         std::uint32_t change) {
  if (peer.public_key == nullptr) return TUNNEL_ERR_ARGUMENT;
  base::WipedBuffer text;
  write_key("public_key", KeyBytes(peer.public_key, TUNNEL_KEY_SIZE), text);
  if (change == TUNNEL_CONTROL_PEER_REMOVE) text.append("remove=true\n");
  if (change == TUNNEL_CONTROL_PEER_RENAME) text.append("update_only=true\n");
  if (change == TUNNEL_CONTROL_PEER_SET) write_content(peer, text);
  const bool named = change != TUNNEL_CONTROL_PEER_REMOVE && peer.name != nullptr;
  if (named) text.append(std::string("x_name=") + peer.name + "\n");
  return set_daemon(place, text.text());
}

}  // namespace tunnel::host
