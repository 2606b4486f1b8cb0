// Each test has network namespaces of its own.
#include "support/hosts.h"

using test::Hosts;
using test::run_command;
using test::Slab;
using test::Transport;

namespace {

// The network changed, as far as the transport has seen; forgets it.
bool changed(const Transport& transport) {
  return transport.ops->changed(transport.self) == TUNNEL_CHANGED_NETWORK;
}

}  // namespace

TEST_CASE("changes of addresses, routes and links are noticed", "[transport][udp]") {
  test::in_namespace([] {
    test::Neighbour neighbour;
    Transport udp;
    REQUIRE(test::open_udp(udp, test::udp_config()) == TUNNEL_OK);
    REQUIRE_FALSE(changed(udp));
    for (const char* command :
         {"ip address add 10.7.0.1/24 dev near", "ip route add 10.8.0.0/16 via 10.7.0.2",
          "ip route delete 10.8.0.0/16", "ip link set near mtu 1400", "ip link set near down",
          "ip link set near up", "ip address delete 10.7.0.1/24 dev near"}) {
      INFO(command);
      test::settle(udp);
      run_command(command);
      REQUIRE(test::ready(udp, -1));
      Slab slab;
      REQUIRE(test::read(udp, slab) == 0);
      REQUIRE(changed(udp));
      REQUIRE_FALSE(changed(udp));
    }
  });
}

TEST_CASE("a refreshed address and a new neighbour are no change", "[transport][udp]") {
  test::in_namespace([] {
    Hosts hosts;
    Slab slab;
    const char* refresh = "ip address change 10.7.0.1/24 dev near valid_lft 1000 preferred_lft 900";
    run_command(refresh);
    test::settle(hosts.here);
    run_command("ip neighbour add 10.7.0.200 lladdr 02:00:00:00:00:01 dev near");
    REQUIRE_FALSE(test::ready(hosts.here));
    run_command("ip address change 10.7.0.1/24 dev near valid_lft 2000 preferred_lft 1900");
    REQUIRE(test::ready(hosts.here, -1));
    REQUIRE(test::read(hosts.here, slab) == 0);
    REQUIRE_FALSE(changed(hosts.here));
  });
}

TEST_CASE("what is said of a link again is no change", "[transport][udp]") {
  test::in_namespace([] {
    Hosts hosts;
    run_command("ip link set near alias first");
    test::settle(hosts.here);
    run_command("ip link set near alias second");
    Slab slab;
    REQUIRE(test::ready(hosts.here, -1));
    REQUIRE(test::read(hosts.here, slab) == 0);
    REQUIRE_FALSE(changed(hosts.here));
  });
}

TEST_CASE("a transport without a monitor notices nothing", "[transport][udp]") {
  test::in_namespace([] {
    test::Neighbour neighbour;
    auto config = test::udp_config();
    config.flags = TUNNEL_UDP_NO_MONITOR;
    Transport udp;
    REQUIRE(test::open_udp(udp, config) == TUNNEL_OK);
    run_command("ip address add 10.7.0.1/24 dev near");
    tunnel_handle handles[4];
    REQUIRE(udp.ops->wait(udp.self, handles, 4) == 2);
    test::settle(udp);
    REQUIRE_FALSE(changed(udp));
  });
}
