// change_peer.cpp — one peer of a running tunnel, by `set=1`: what a configuration says of it.
#include <charconv>
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

// The errno of "errno=-2", with its sign; nothing else is an answer to `set=1`.
std::int32_t status_of_answer(std::string_view answer) {
  constexpr std::string_view kStart = "errno=";
  if (!answer.starts_with(kStart)) return TUNNEL_ERR_UNSUPPORTED;
  answer.remove_prefix(kStart.size());
  int number = 0;
  const auto [stop, error] = std::from_chars(answer.data(), answer.data() + answer.size(), number);
  if (error != std::errc{}) return TUNNEL_ERR_UNSUPPORTED;
  return number == 0 ? TUNNEL_OK : base::status_of(number < 0 ? -number : number);
}

}  // namespace

std::int32_t change_peer(const DaemonPlace& place, const tunnel_config_peer& peer,
                         std::uint32_t change) {
  if (peer.public_key == nullptr) return TUNNEL_ERR_ARGUMENT;
  base::WipedBuffer text;
  text.append("set=1\n");
  write_key("public_key", KeyBytes(peer.public_key, TUNNEL_KEY_SIZE), text);
  if (change == TUNNEL_CONTROL_PEER_REMOVE) text.append("remove=true\n");
  if (change == TUNNEL_CONTROL_PEER_RENAME) text.append("update_only=true\n");
  if (change == TUNNEL_CONTROL_PEER_SET) write_content(peer, text);
  const bool named = change != TUNNEL_CONTROL_PEER_REMOVE && peer.name != nullptr;
  if (named) text.append(std::string("x_name=") + peer.name + "\n");
  text.append("\n");
  base::WipedBuffer answer;
  const std::int32_t status = request(place, text.text(), answer);
  return status == TUNNEL_OK ? status_of_answer(answer.text()) : status;
}

}  // namespace tunnel::host
