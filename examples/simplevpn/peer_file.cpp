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
  if (auto failure = find_running(config, target)) return failure;
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

// It runs when there is a daemon of this name with the key of this file: otherwise it is another
// tunnel. Who may not ask root's daemon changes a file of his own.
std::optional<Failure> PeerFile::look(bool& runs) const {
  runs = false;
  tunnel_snapshot* found = nullptr;
  const std::int32_t status =
      tunnel_snapshot_read(nullptr, name_.c_str(), TUNNEL_CONTROL_TIMEOUT_MS, &found);
  if (status == TUNNEL_ERR_NOT_FOUND || status == TUNNEL_ERR_PERMISSION) return {};
  const SnapshotHandle snapshot(found);
  if (status != TUNNEL_OK) {
    Failure failure = status_failure(output_, status, "ask the running tunnel " + name_, kFailure);
    failure.hint = "nothing is changed; simplevpn doctor " + shell_quoted(name_);
    return failure;
  }
  tunnel_snapshot_interface running = TUNNEL_SNAPSHOT_INTERFACE_INIT;
  tunnel_snapshot_get_interface(found, &running);
  const tunnel_config_interface ours = interface();
  std::uint8_t key[TUNNEL_KEY_SIZE] = {};
  runs = ours.private_key != nullptr && tunnel_key_public(ours.private_key, key) == TUNNEL_OK &&
         public_key_text(key) == public_key_text(running.public_key);
  return {};
}

std::optional<Failure> PeerFile::save() {
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  const std::int32_t status = tunnel_config_edit_save(edit_.get(), &issue);
  if (status == TUNNEL_OK) return {};
  if (status == TUNNEL_ERR_CONFIG) return config_failure(output_, status, path_, issue);
  return file_failure(output_, status, "write " + path_, kFailure);
}

// The file first, because it can be put back whole; a peer that was removed from a tunnel has lost
// its session.
std::optional<Failure> PeerFile::commit(const tunnel_config_peer& peer, std::uint32_t change) {
  bool runs = false;
  if (auto failure = look(runs)) return failure;
  if (auto failure = save()) return failure;
  if (!runs) return {};
  const std::int32_t status =
      tunnel_control_change_peer(nullptr, name_.c_str(), &peer, change, TUNNEL_CONTROL_TIMEOUT_MS);
  if (status == TUNNEL_OK || status == TUNNEL_ERR_NOT_FOUND) return {};
  return take_back(status);
}

// Who did not answer in time may have obeyed, or will.
Failure PeerFile::take_back(std::int32_t refusal) {
  Failure failure =
      status_failure(output_, refusal, "change the running tunnel " + name_, kFailure);
  const std::string reload = "simplevpn reload " + shell_quoted(path_);
  const bool back = tunnel_config_edit_revert(edit_.get()) == TUNNEL_OK && !save().has_value();
  failure.hint = path_ + (back ? " is as it was" : " is changed already");
  if (!back) failure.hint += "; the tunnel follows with: " + reload;
  if (refusal == TUNNEL_ERR_TIMEOUT && back) {
    failure.hint += "; should the tunnel have changed, it follows with: " + reload;
  }
  return failure;
}

}  // namespace simplevpn
