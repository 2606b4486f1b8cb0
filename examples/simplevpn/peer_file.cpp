#include "peer_file.h"

#include <algorithm>
#include <string_view>

#include "format.h"
#include "secret_text.h"
#include "target.h"

namespace simplevpn {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// The value of "# key = value", or nothing.
std::string_view value_of(std::string_view line, const std::string& key) {
  line = trimmed(line);
  if (!line.starts_with('#')) return {};
  line = trimmed(line.substr(1));
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos || trimmed(line.substr(0, equals)) != key) return {};
  return trimmed(line.substr(equals + 1));
}

}  // namespace

std::optional<Failure> PeerFile::open(const std::string& config) {
  Target target;
  if (auto failure = find_target(config, target)) return failure;
  path_ = target.path;
  name_ = target.name;
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  tunnel_config_edit* edit = nullptr;
  std::int32_t status = tunnel_config_edit_open(path_.c_str(), &edit, &issue);
  edit_.reset(edit);
  tunnel_config* parsed = nullptr;
  if (status == TUNNEL_OK) status = tunnel_config_edit_config(edit, &parsed, &issue);
  config_.reset(parsed);
  if (status != TUNNEL_OK) return config_failure(output_, status, path_, issue);
  return {};
}

tunnel_config_interface PeerFile::interface() const {
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  tunnel_config_get_interface(config_.get(), &interface);
  return interface;
}

std::optional<tunnel_config_peer> PeerFile::find(const std::string& name) const {
  tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
  for (std::size_t i = 0; tunnel_config_get_peer(config_.get(), i, &peer) == TUNNEL_OK; ++i) {
    if (peer.name == name || public_key_text(peer.public_key) == name) return peer;
  }
  return {};
}

std::string PeerFile::pragma(const std::string& key) const {
  const SecretText text(edit_.get());
  std::string_view rest = text.view();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    if (trimmed(line) == "[Peer]") return "";
    const std::string_view value = value_of(line, key);
    if (!value.empty()) return std::string(value);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return "";
}

// A daemon of this name, and with the key of this file: otherwise it is another tunnel.
bool PeerFile::runs() const {
  tunnel_snapshot* found = nullptr;
  if (tunnel_snapshot_read(nullptr, name_.c_str(), TUNNEL_CONTROL_TIMEOUT_MS, &found) !=
      TUNNEL_OK) {
    return false;
  }
  const SnapshotHandle snapshot(found);
  tunnel_snapshot_interface running = TUNNEL_SNAPSHOT_INTERFACE_INIT;
  tunnel_snapshot_get_interface(found, &running);
  const tunnel_config_interface ours = interface();
  std::uint8_t key[TUNNEL_KEY_SIZE] = {};
  if (ours.private_key == nullptr || tunnel_key_public(ours.private_key, key) != TUNNEL_OK) {
    return false;
  }
  return public_key_text(key) == public_key_text(running.public_key);
}

std::optional<Failure> PeerFile::save() {
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  const std::int32_t status = tunnel_config_edit_save(edit_.get(), &issue);
  if (status == TUNNEL_OK) return {};
  if (status == TUNNEL_ERR_CONFIG) return config_failure(output_, status, path_, issue);
  return file_failure(output_, status, "write " + path_, kFailure);
}

std::optional<Failure> PeerFile::follow(const tunnel_config_peer& peer, std::uint32_t change) {
  if (!runs()) return {};
  const std::int32_t status =
      tunnel_control_change_peer(nullptr, name_.c_str(), &peer, change, TUNNEL_CONTROL_TIMEOUT_MS);
  if (status == TUNNEL_OK || status == TUNNEL_ERR_NOT_FOUND) return {};
  Failure failure = status_failure(output_, status, "change the running tunnel " + name_, kFailure);
  failure.hint = path_ + " is changed already; the tunnel follows with: simplevpn reload " +
                 shell_quoted(name_);
  return failure;
}

}  // namespace simplevpn
