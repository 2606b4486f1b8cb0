// hosts.h — two hosts on one link, each with a UDP transport.
#pragma once

#include "support/netns.h"
#include "support/udp.h"

namespace test {

// A transport here and one in a neighbouring namespace, with addresses of both families.
struct Hosts {
  Hosts() {
    run_command("ip address add 10.7.0.1/24 dev near");
    run_command("ip address add fd07::1/64 dev near nodad");
    REQUIRE(open_udp(here, udp_config()) == TUNNEL_OK);
    there_space.run([&] {
      run_command("ip address add 10.7.0.2/24 dev far");
      run_command("ip address add fd07::2/64 dev far nodad");
      REQUIRE(open_udp(there, udp_config()) == TUNNEL_OK);
    });
  }

  [[nodiscard]] tunnel_address far_address(const char* host) const {
    return address(host, port_of(there));
  }

  Neighbour there_space;
  Transport here, there;
};

// Takes in what the kernel has reported so far.
inline void settle(const Transport& transport) {
  Slab slab;
  read(transport, slab);
  transport.ops->changed(transport.self);
}

}  // namespace test
