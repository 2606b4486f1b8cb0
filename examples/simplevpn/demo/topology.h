// topology.h - four hosts and the cables between them.
//
//   client ---------------- router ---------------- server ---------------- behind
//   192.0.2.2   192.0.2.1     198.51.100.1   198.51.100.2  10.20.0.1   10.20.0.2
//                                                          fd20::1     fd20::2
//   inside the tunnel: server 10.9.0.1, fd09::1; client 10.9.0.2, fd09::2
#pragma once

#include <optional>
#include <string>

#include "host.h"

namespace simplevpn::demo {

constexpr const char* kClientOutside = "192.0.2.2";
constexpr const char* kClientMoved = "192.0.2.77";  // where it goes in mid-copy
constexpr const char* kServerOutside = "198.51.100.2";
constexpr std::uint16_t kServerPort = 51820;
constexpr const char* kServerInside4 = "10.9.0.1";
constexpr const char* kServerInside6 = "fd09::1";
constexpr const char* kBehind4 = "10.20.0.2";
constexpr const char* kBehind6 = "fd20::2";

struct Topology {
  Host client;
  Host router;
  Host server;
  Host behind;

  // Builds it all, and is sure that client and server reach each other. Nothing, and `error`, when
  // that fails.
  static std::optional<Topology> build(std::string& error);

  // Takes the client's outside address away and gives it another one.
  bool move_client(std::string& error) const;
};

}  // namespace simplevpn::demo
