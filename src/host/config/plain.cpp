#include "host/config/plain.h"

#include <algorithm>

#include "host/config/issue.h"
#include "host/config/parser.h"

namespace tunnel::host {

std::int32_t parse_plain_config(std::string_view text, Config& config, tunnel_config_issue& issue) {
  const std::int32_t status = parse_config(text, config, issue);
  if (status != TUNNEL_OK) return status;
  const bool has_keys = !config.interface.private_key.is_zero() ||
                        std::any_of(config.peers.begin(), config.peers.end(),
                                    [](const auto& peer) { return !peer.preshared_key.is_zero(); });
  if (has_keys) {
    issue = issue_of_file({"the plain profile protects nothing, but there are keys",
                           "without the plain profile they are used"},
                          TUNNEL_ERR_CONFIG);
    return TUNNEL_ERR_CONFIG;
  }
  config.missing_key.reset();
  config.interface.fields |= TUNNEL_CONFIG_PLAIN;
  return TUNNEL_OK;
}

}  // namespace tunnel::host
