#include "host/machine/machine.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "host/settings/settings.h"
#include "machines.h"
#include "scratch.h"
#include "support/catch.hpp"
#include "support/netns.h"

using namespace tunnel::host;
using namespace tunnel::test;

namespace {

using Names = std::vector<std::string>;

bool has_address(const Machine& machine, const std::string& link, const char* address) {
  const tunnel_prefix wanted = prefix(address);
  return std::any_of(machine.addresses.begin(), machine.addresses.end(), [&](const auto& each) {
    return each.link == link && each.address.length == wanted.length &&
           std::equal(std::begin(wanted.bytes), std::end(wanted.bytes), each.address.bytes);
  });
}

Machine read() {
  auto machine = read_machine();
  REQUIRE(machine);
  return *std::move(machine);
}

}  // namespace

TEST_CASE("a prefix covers what lies in it, whatever its host bits", "[host][machine]") {
  CHECK(covers(prefix("10.9.0.7/16"), prefix("10.9.200.0/24")));
  CHECK(covers(prefix("0.0.0.0/0"), prefix("192.0.2.1/32")));
  CHECK_FALSE(covers(prefix("10.9.0.0/24"), prefix("10.9.0.0/16")));
  CHECK_FALSE(covers(prefix("0.0.0.0/0"), prefix("::/0")));
  CHECK(same_network(prefix("fd09::1/64"), prefix("fd09::/64")));
  CHECK_FALSE(same_network(prefix("fd09::1/64"), prefix("fd09::1/65")));
}

TEST_CASE("private is what the Internet does not route", "[host][machine]") {
  for (const char* each : {"10.0.0.0/8", "172.31.0.0/16", "192.168.7.0/24", "169.254.0.0/16",
                           "fd00:1::/64", "fe80::/64"}) {
    INFO(each);
    CHECK(is_private(prefix(each)));
  }
  for (const char* each : {"0.0.0.0/0", "10.0.0.0/7", "172.32.0.0/16", "192.0.2.0/24",
                           "100.0.0.0/8", "2001:db8::/32", "::/0"}) {
    INFO(each);
    CHECK_FALSE(is_private(prefix(each)));
  }
}

TEST_CASE("uplinks carry a default route; a tunnel with a table of its own is none",
          "[host][machine]") {
  Machine machine = plain_machine();
  CHECK(machine.uplinks("wg0") == Names{"eth0"});
  machine.links.push_back({"wg9", "wireguard", true, false, 1420});
  machine.routes.push_back({.prefix = prefix("0.0.0.0/0"), .device = "wg9", .table = 51820});
  CHECK(machine.uplinks("wg0") == Names{"eth0"});
  machine.routes.push_back({.prefix = prefix("0.0.0.0/0"), .device = "wg9"});
  CHECK(machine.uplinks("wg0") == Names{"eth0", "wg9"});
  CHECK(machine.uplinks("wg9") == Names{"eth0"});
}

TEST_CASE("the route to an address is the longest, then the cheapest", "[host][machine]") {
  Machine machine = plain_machine();
  CHECK(machine.route_to(prefix("198.51.100.1/32"))->device == "eth0");
  CHECK(machine.route_to(prefix("2001:db8:1::1/128"))->device == "eth0");
  machine.routes.push_back(
      {.prefix = prefix("0.0.0.0/0"), .device = "wlan0", .table = kMainTable, .metric = 600});
  machine.routes.push_back({.prefix = prefix("198.51.100.0/24"), .device = "eth1"});
  CHECK(machine.route_to(prefix("203.0.113.1/32"))->device == "eth0");
  CHECK(machine.route_to(prefix("198.51.100.1/32"))->device == "eth1");
}

TEST_CASE("a machine is read as it is", "[host][machine]") {
  test::in_namespace([] {
    test::run_command("ip link add br0 type bridge && ip link set br0 up mtu 1400");
    test::run_command("ip link add up0 type veth peer name far0 && ip link set up0 up");
    test::run_command("ip link set far0 up && ip address add 172.20.0.1/16 dev br0");
    test::run_command("ip address add 192.0.2.7/24 dev up0");
    test::run_command("ip address add 2001:db8::7/64 dev up0 nodad");
    test::run_command("ip route add default via 192.0.2.1 dev up0 metric 50");
    test::run_command("ip route add default via 2001:db8::1 dev up0 proto ra");
    test::run_command("ip route add 198.51.100.0/24 nexthop via 192.0.2.2 nexthop via 192.0.2.3");
    test::run_command("ip route add unreachable 203.0.113.0/24 table 77");
    test::run_command("ip rule add not fwmark 0xca6c lookup 77 priority 900");
    test::run_command("sysctl -qw net.ipv4.conf.up0.rp_filter=2");
    const Machine machine = read();
    REQUIRE(machine.link("br0")->kind == "bridge");
    REQUIRE(machine.link("br0")->mtu == 1400);
    REQUIRE(machine.link("up0")->up);
    REQUIRE(machine.link("lo")->loopback);
    REQUIRE(has_address(machine, "br0", "172.20.0.1/16"));
    REQUIRE(has_address(machine, "up0", "2001:db8::7/64"));
    REQUIRE(machine.uplinks("") == Names{"up0"});
    const Route* way = machine.route_to(prefix("198.51.100.9/32"));
    REQUIRE(way->device == "up0");
    REQUIRE(way->gateway->bytes[3] == 2);
    REQUIRE(machine.route_to(prefix("2001:db8:5::1/128"))->advertised);
    REQUIRE(machine.route_to(prefix("172.20.3.3/32"))->connected);
    REQUIRE(std::any_of(machine.rules.begin(), machine.rules.end(), [](const Rule& rule) {
      return rule.priority == 900 && rule.table == 77 && rule.mark == 0xca6c;
    }));
    REQUIRE(machine.sysctl("net/ipv4/conf/up0/rp_filter") == "2");
    REQUIRE_FALSE(machine.sysctl("net/ipv4/conf/none/rp_filter"));
  });
}

TEST_CASE("chains of others that drop what is forwarded are found", "[host][machine]") {
  test::in_namespace([] {
    if (std::system("nft --version > /dev/null 2>&1") != 0) throw test::Skip{"nft is missing"};
    REQUIRE(read().forward_chains.empty());
    const auto nft = [](const std::string& text) { test::run_command("nft '" + text + "'"); };
    const std::string hook = "{ type filter hook forward priority 0; policy ";
    nft("table ip filter { chain FORWARD " + hook + "drop; }\n chain DOCKER-USER { }\n }");
    nft("table inet firewalld { chain filter_FORWARD " + hook +
        "accept; iifname br0 accept; counter reject with icmpx type admin-prohibited; }\n }");
    nft("table inet mine { chain forward " + hook + "accept; ip daddr 192.0.2.1 drop; }\n }");
    nft("table inet ltun { chain forward " + hook + "drop; }\n }");
    const Machine machine = read();
    REQUIRE(machine.forward_chains.size() == 2);
    REQUIRE(machine.forward_chains[0].family == "ip");
    REQUIRE(machine.forward_chains[0].table == "filter");
    REQUIRE(machine.forward_chains[0].chain == "DOCKER-USER");
    REQUIRE(machine.forward_chains[1].family == "inet");
    REQUIRE(machine.forward_chains[1].chain == "filter_FORWARD");
  });
}

TEST_CASE("a machine that changes while it is read is read at once, and whole", "[host][machine]") {
  test::in_namespace([] {
    std::string batch;
    for (int i = 0; i < 2000; ++i) {
      batch += "address add 10.7." + std::to_string(i / 250) + "." + std::to_string(i % 250) +
               "/32 dev lo\n";
    }
    const Scratch scratch;
    test::run_command("ip -batch " + scratch.write("addresses", batch));
    std::atomic<bool> done = false;
    // An address behind all the others, there and gone again.
    std::thread somebody([&done] {
      auto netlink = Netlink::open();
      while (netlink && !done) {
        (void)netlink->add_address(1, prefix("192.0.2.1/32"));
        (void)netlink->remove_address(1, prefix("192.0.2.1/32"));
      }
    });
    std::vector<std::int32_t> statuses;
    std::vector<std::ptrdiff_t> counts;
    for (int i = 0; i < 20; ++i) {
      const auto machine = read_machine();
      statuses.push_back(machine.status());
      if (!machine) continue;
      const auto& found = machine->addresses;
      counts.push_back(std::count_if(found.begin(), found.end(), [](const LinkAddress& each) {
        return covers(prefix("10.7.0.0/16"), each.address);
      }));
    }
    done = true;
    somebody.join();
    REQUIRE(statuses == std::vector<std::int32_t>(20, TUNNEL_OK));
    REQUIRE(counts == std::vector<std::ptrdiff_t>(20, 2000));
  });
}
