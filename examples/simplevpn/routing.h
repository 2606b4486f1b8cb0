// routing.h - what a command line says about the ways of packets.
#pragma once

#include <string>
#include <vector>

#include <tunnel/host/settings.h>

namespace simplevpn {

struct Routing {
  bool strict = false;  // `client`, `up --strict`
  bool split = false;
  bool lan = false;
  bool kill_switch = false;
  bool agreed = false;  // --yes
  bool server = false;  // `server`
  bool client_to_client = false;
  bool no_foreign_rules = false;
  std::string nat;    // "" = the uplink
  std::string share;  // "" = none

  // Valid as long as this and `resolvers`.
  [[nodiscard]] tunnel_settings_request request(const std::vector<tunnel_address>& resolvers) const;
  // A kill switch cuts off whoever works here by ssh over the uplink.
  [[nodiscard]] bool needs_consent() const;
};

}  // namespace simplevpn
