// target.h - which tunnel, and which file, an argument means.
#pragma once

#include <optional>
#include <string>

#include "output.h"

namespace simplevpn {

struct Target {
  std::string path;
  std::string name;  // of tunnel and interface
};

// For a tunnel to start. As with wg-quick, a bare name stands for /etc/wireguard/NAME.conf.
[[nodiscard]] std::optional<Failure> find_target(const std::string& argument, Target& target);

// For one that runs: a file means the tunnel that is named after it.
[[nodiscard]] std::string tunnel_name(const std::string& argument);

}  // namespace simplevpn
