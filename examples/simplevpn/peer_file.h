// peer_file.h - a server's file that is about to be changed, and the tunnel that may run from it.
#pragma once

#include <optional>
#include <string>

#include "handles.h"
#include "output.h"

namespace simplevpn {

class PeerFile {
 public:
  explicit PeerFile(const Output& output) : output_(output) {}

  // Opens and locks it. `config` is a path, or a bare name: of a tunnel that runs its file.
  [[nodiscard]] std::optional<Failure> open(const std::string& config);

  const std::string& path() const { return path_; }
  tunnel_config_edit* edit() const { return edit_.get(); }
  const tunnel_config* config() const { return config_.get(); }  // as the file was opened
  tunnel_config_interface interface() const;
  // The peer of this friendly name or public key.
  [[nodiscard]] std::optional<tunnel_config_peer> find(const std::string& name) const;
  // "# KEY = VALUE" in [Interface], or "".
  [[nodiscard]] std::string pragma(const std::string& key) const;

  // Writes the changed file, and changes the tunnel that runs from it (TUNNEL_CONTROL_PEER_): both
  // or neither.
  [[nodiscard]] std::optional<Failure> commit(const tunnel_config_peer& peer, std::uint32_t change);

 private:
  [[nodiscard]] std::optional<Failure> look(bool& runs) const;
  [[nodiscard]] std::optional<Failure> save();
  [[nodiscard]] Failure take_back(std::int32_t refusal);

  const Output& output_;
  std::string path_;
  std::string name_;
  Handle<tunnel_config_edit, tunnel_config_edit_close> edit_;
  ConfigHandle config_;
};

}  // namespace simplevpn
