// target.h - which tunnel, and which file, an argument means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "data_path.h"
#include "output.h"
#include "routing.h"

namespace simplevpn {

struct Target {
  std::string path;               // as messages name it
  std::string name;               // of tunnel and interface
  std::string plain_config;       // of a plain tunnel, which has no file; else empty
  std::uint32_t dns_backend = 0;  // TUNNEL_DNS_
  Routing routing;
  DataPath data_path;
};

// For a tunnel to start. As with wg-quick, a bare name stands for /etc/wireguard/NAME.conf.
[[nodiscard]] std::optional<Failure> find_target(const std::string& argument, Target& target);

// The file of a tunnel that runs. A bare name means the file it was started from, when its daemon
// says so; "E_FOREIGN_FILE" when somebody else could have made that file.
[[nodiscard]] std::optional<Failure> find_running(const std::string& argument, Target& target);

// What to say of a tunnel that does not run.
[[nodiscard]] Failure not_running(const std::string& name);

// For one that runs: a file means the tunnel that is named after it.
[[nodiscard]] std::string tunnel_name(const std::string& argument);

}  // namespace simplevpn
