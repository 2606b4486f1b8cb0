// uplink_servers.h - the name servers that answer without the tunnel.
//
// As long as nothing was changed on the machine, its own resolver is asked for endpoints. From then
// on it may ask through the tunnel; the resolvers of the uplink, remembered before, are asked
// instead.
#pragma once

#include <cstdint>
#include <vector>

#include <tunnel/host/config.h>
#include <tunnel/host/settings.h>

namespace simplevpn {

class UplinkServers {
 public:
  // Before the plan.
  void learn(const tunnel_config* config);

  // After a change of the network: true when other servers have to be asked from now on.
  [[nodiscard]] bool refresh();

  const std::vector<tunnel_address>& list() const { return servers_; }

 private:
  std::vector<tunnel_address> find() const;

  std::vector<tunnel_address> own_;  // the tunnel's own name servers
  std::vector<tunnel_address> servers_;
};

// Whether the plan has steps after which the system's resolver may ask through the tunnel.
[[nodiscard]] bool takes_questions(const tunnel_settings* settings);

}  // namespace simplevpn
