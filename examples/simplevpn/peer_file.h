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

  // Opens and locks it. `config` is a path, or a bare name as with `up`.
  [[nodiscard]] std::optional<Failure> open(const std::string& config);

  const std::string& path() const { return path_; }
  tunnel_config_edit* edit() const { return edit_.get(); }
  const tunnel_config* config() const { return config_.get(); }  // as the file was opened
  tunnel_config_interface interface() const;
  // The peer of this friendly name or public key.
  [[nodiscard]] std::optional<tunnel_config_peer> find(const std::string& name) const;
  // "# KEY = VALUE" in [Interface], or "".
  [[nodiscard]] std::string pragma(const std::string& key) const;

  // Writes the changed file in place of the old one.
  [[nodiscard]] std::optional<Failure> save();
  // Then: makes the running tunnel follow (TUNNEL_CONTROL_PEER_). When it does not, the file has
  // changed all the same, and the failure says how to go on.
  [[nodiscard]] std::optional<Failure> follow(const tunnel_config_peer& peer, std::uint32_t change);

 private:
  [[nodiscard]] bool runs() const;

  const Output& output_;
  std::string path_;
  std::string name_;
  Handle<tunnel_config_edit, tunnel_config_edit_close> edit_;
  ConfigHandle config_;
};

}  // namespace simplevpn
