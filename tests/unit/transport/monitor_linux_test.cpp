// Each test has network namespaces of its own.
#include <functional>
#include <string>

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

// The kernel says that a new cable carries up to a second late, which is a change. So a command
// that is none gets several chances to be heard alone; one that were a change would be one every
// time.
bool once_without_change(const Hosts& hosts, const std::function<void(int)>& act) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    test::settle(hosts.here);
    act(attempt);
    Slab slab;
    if (!test::ready(hosts.here, test::kPatience_ms) || test::read(hosts.here, slab) != 0)
      return false;
    if (!changed(hosts.here)) return true;
  }
  return false;
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
      REQUIRE(test::ready(udp, test::kPatience_ms));
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
    run_command("ip address change 10.7.0.1/24 dev near valid_lft 1000 preferred_lft 900");
    REQUIRE(once_without_change(hosts, [](int attempt) {
      run_command("ip neighbour replace 10.7.0.200 lladdr 02:00:00:00:00:01 dev near");
      const auto seconds = std::to_string(2000 + attempt);
      run_command("ip address change 10.7.0.1/24 dev near valid_lft " + seconds +
                  " preferred_lft 1900");
    }));
  });
}

TEST_CASE("what is said of a link again is no change", "[transport][udp]") {
  test::in_namespace([] {
    Hosts hosts;
    REQUIRE(once_without_change(hosts, [](int attempt) {
      run_command("ip link set near alias name" + std::to_string(attempt));
    }));
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
