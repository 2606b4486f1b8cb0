// hooks.h - the commands of a configuration file: PreUp, PostUp, PreDown, PostDown.
//
// They are run by the commands `up` and `down`, never by a daemon in the background nor by the
// library. Each is given to bash, in the order of the file, with "%i" replaced by the name of the
// interface and in an environment that says nothing about who called.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tunnel/host/config.h>

#include "output.h"

namespace simplevpn {

class Hooks {
 public:
  Hooks() = default;  // none
  Hooks(const tunnel_config* config, std::string interface_name);

  // Runs those of a kind (TUNNEL_HOOK_) until one fails. SIGINT, SIGTERM and SIGHUP wait until it
  // has ended; Ctrl-C ends the hook, which then has failed.
  [[nodiscard]] std::optional<Failure> run(std::uint32_t kind, const Output& output) const;

 private:
  std::string name_;
  std::array<std::vector<std::string>, 4> commands_;  // by kind - 1
};

}  // namespace simplevpn
