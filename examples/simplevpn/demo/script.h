// script.h - what the demo does, in the order in which it shows it.
//
//   handshake, ping4, ping6    the tunnel is there
//   copy                       100 MB, as fast as it goes
//   long_copy                  the same, while the client moves and the server is killed
//   record                     pings and bytes with a marker, seen by the router
//   attack                     what the router saw, changed and sent again
//   plaintext                  whether the router saw the marker
#pragma once

#include <string>
#include <vector>

#include "capture.h"
#include "endpoint.h"
#include "findings.h"
#include "topology.h"

namespace simplevpn::demo {

class Script {
 public:
  Script(const Topology& hosts, const Configs& configs, const Teller& teller);

  // Runs until a line does not hold, or to the end. Afterwards the tunnel is still up.
  void run();

 private:
  bool tell(const std::string& title, bool held, const std::string& figures);

  bool handshake();
  bool pings(const char* title, const char* server, const char* behind);
  bool copy();
  bool long_copy();
  bool move_client(Copy& copy);
  bool restart_server(Copy& copy);
  bool await_bytes(Copy& copy, std::uint64_t bytes, double seconds);
  bool report_long_copy(Copy& copy);
  bool record();
  bool attack();
  bool refused(const char* title, const std::vector<Packet>& packets,
               const std::vector<std::string>& reasons);
  bool plaintext();

  const Topology& hosts_;
  const Teller& teller_;
  Endpoint client_;
  Endpoint server_;
  std::vector<Mark> marks_;
  std::string moved_;  // figures of the two events, until the copy has ended
  std::string restarted_;
  double stall_s_ = 0;  // after the restart
  std::vector<Packet> seen_by_router_;
  std::size_t marked_behind_ = 0;  // packets with the marker, where they may be seen
  std::uint32_t not_captured_ = 0;
};

}  // namespace simplevpn::demo
