// hooks.h - the commands of a configuration file: PreUp, PostUp, PreDown, PostDown.
//
// They are run by the commands `up` and `down`, never by a daemon in the background nor by the
// library. Each is given to bash, in the order of the file, with "%i" replaced by the name of the
// interface and in an environment that says nothing about who called.
#pragma once

#include <array>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tunnel/host/config.h>

#include "output.h"

namespace simplevpn {

// While it lives SIGINT, SIGTERM and SIGHUP wait, so that the process does not die between a hook
// and what must follow it.
class SignalsHeld {
 public:
  SignalsHeld();
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;
  ~SignalsHeld();

  // SIGINT or SIGTERM waits.
  static bool told_to_end();

 private:
  sigset_t before_;
};

class Hooks {
 public:
  Hooks() = default;  // none
  Hooks(const tunnel_config* config, std::string interface_name);

  // Runs those of a kind (TUNNEL_HOOK_) until one fails, or until a signal that asked us to end was
  // held back meanwhile.
  [[nodiscard]] std::optional<Failure> run(std::uint32_t kind, const Output& output) const;

 private:
  std::string name_;
  std::array<std::vector<std::string>, 4> commands_;  // by kind - 1
};

}  // namespace simplevpn
