#include "host/routing/routing.h"

#include <algorithm>
#include <string>
#include <vector>

#include "host/step/step.h"
#include "routing_support.h"
#include "support/catch.hpp"

using namespace tunnel::host;
using namespace tunnel::test;

namespace {

Request ipv4_only(Scheme scheme) {
  Request request = full(scheme);
  request.addresses = {prefix("10.9.0.2/24")};
  request.allowed_ips = {prefix("0.0.0.0/0")};
  return request;
}

std::uint32_t planned_mtu(const Request& request, const Machine& machine) {
  for (const Step& step : plan_routing(request, machine)) {
    if (const auto* mtu = std::get_if<MtuStep>(&step)) return mtu->mtu;
  }
  return 0;
}

Machine with_containers() {
  Machine machine = plain_machine();
  machine.links.push_back({"docker0", "bridge", true, false, 1500});
  machine.links.push_back({"wg7", "wireguard", true, false, 1420});
  machine.links.push_back({"eth1", "", true, false, 1500});
  add_network(machine, "docker0", "172.17.0.1/16");
  add_network(machine, "docker0", "fd17::1/64");
  add_network(machine, "docker0", "fe80::1/64");
  add_network(machine, "wg7", "10.7.0.2/24");
  add_network(machine, "eth1", "10.50.0.2/24");
  add_network(machine, "eth1", "100.0.0.2/8");
  return machine;
}

// The rule by which a network stays outside: by its own route, never by the default route.
std::string kept(const std::string& network) {
  const int length = std::stoi(network.substr(network.find('/') + 1));
  return std::string(network.find(':') == network.npos ? "ip -4" : "ip -6") + " rule add to " +
         network + " lookup main suppress_prefixlength " + std::to_string(length - 1) +
         " priority 31820";
}

// Those that are left out where they cannot be.
std::size_t optional_steps(const Request& request, const Machine& machine) {
  const std::vector<Step> steps = plan_routing(request, machine);
  return static_cast<std::size_t>(std::count_if(steps.begin(), steps.end(), [](const Step& step) {
    const auto* table = std::get_if<TableStep>(&step);
    const auto* sysctl = std::get_if<SysctlStep>(&step);
    return (table != nullptr && table->optional) || (sysctl != nullptr && sysctl->optional);
  }));
}

bool has(const Texts& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

}  // namespace

TEST_CASE("Table = auto is wg-quick's scheme", "[host][routing]") {
  CHECK(texts(full(Scheme::wg_quick), plain_machine()) ==
        Texts{"table ltun_wg0", "sysctl -w net.ipv4.conf.eth0.arp_ignore=1",
              "ip -4 route add 0.0.0.0/0 dev wg0 table 51820",
              "ip -4 rule add not fwmark 0xca6c lookup 51820 priority 32765",
              "ip -4 rule add lookup main suppress_prefixlength 0 priority 32764",
              "ip -6 route add ::/0 dev wg0 table 51820",
              "ip -6 rule add not fwmark 0xca6c lookup 51820 priority 32765",
              "ip -6 rule add lookup main suppress_prefixlength 0 priority 32764"});
  CHECK(chosen_mark(full(Scheme::wg_quick), plain_machine()) == 51820);
}

TEST_CASE("wg-quick's scheme takes the mark of the file, else the first free table from 51820",
          "[host][routing]") {
  Request request = ipv4_only(Scheme::wg_quick);
  Machine machine = plain_machine();
  machine.routes.push_back({.prefix = prefix("::/0"), .device = "wg7", .table = 51820});
  machine.rules.push_back({TUNNEL_FAMILY_IPV4, 32765, 51821, 51821});
  CHECK(chosen_mark(request, machine) == 51822);
  const Texts planned = texts(request, machine);
  CHECK(has(planned, "ip -4 route add 0.0.0.0/0 dev wg0 table 51822"));
  CHECK(has(planned, "ip -4 rule add not fwmark 0xca6e lookup 51822 priority 32764"));
  request.mark = 0x1234;
  CHECK(chosen_mark(request, machine) == 0x1234);
  CHECK(has(texts(request, machine), "ip -4 route add 0.0.0.0/0 dev wg0 table 4660"));
}

TEST_CASE("Table = off makes no routes, Table = number puts all of them there", "[host][routing]") {
  Request request = full(Scheme::wg_quick);
  request.allowed_ips.push_back(prefix("10.9.0.0/24"));
  request.table = Table::off;
  for (const std::string& text : texts(request, plain_machine())) {
    INFO(text);
    CHECK(text.find("route") == std::string::npos);
    CHECK(text.find("rule") == std::string::npos);
  }
  request.table = Table::number;
  request.table_number = 77;
  const Texts planned = texts(request, plain_machine());
  CHECK(has(planned, "ip -4 route add 10.9.0.0/24 dev wg0 table 77"));
  CHECK(has(planned, "ip -4 route add 0.0.0.0/0 dev wg0 table 77"));
  CHECK(has(planned, "ip -6 route add ::/0 dev wg0 table 77"));
  CHECK(chosen_mark(request, plain_machine()) == 0);
}

TEST_CASE("without a default route `up` makes routes, and guards that may be left out",
          "[host][routing]") {
  Request request = full(Scheme::wg_quick);
  request.allowed_ips = {prefix("10.9.0.0/24"), prefix("192.168.0.0/16"), prefix("fd07::/64"),
                         prefix("192.168.7.0/24")};
  CHECK(texts(request, plain_machine()) ==
        Texts{"table ltun_wg0", "sysctl -w net.ipv4.conf.eth0.arp_ignore=1",
              "ip -6 route add fd07::/64 dev wg0", "ip -4 route add 192.168.7.0/24 dev wg0",
              "ip -4 route add 192.168.0.0/16 dev wg0"});
  CHECK(optional_steps(request, plain_machine()) == 2);
  for (const Scheme scheme : {Scheme::wg_quick, Scheme::strict, Scheme::split}) {
    CHECK(optional_steps(full(scheme), plain_machine()) == 0);
  }
}

TEST_CASE("everything is led into a tunnel by routes that somebody asks", "[host][routing]") {
  const auto leads = [](const Request& request) {
    return leads_everything(plan_routing(request, plain_machine()), "wg0");
  };
  for (const Scheme scheme : {Scheme::wg_quick, Scheme::strict, Scheme::split}) {
    CHECK(leads(full(scheme)));
    CHECK(leads(ipv4_only(scheme)));
    Request some = full(scheme);
    some.allowed_ips = {prefix("10.9.0.0/24"), prefix("128.0.0.0/1")};
    CHECK_FALSE(leads(some));
    some.allowed_ips.push_back(prefix("0.0.0.0/1"));
    CHECK(leads(some));
  }
  Request off = full(Scheme::wg_quick);
  off.table = Table::off;
  CHECK_FALSE(leads(off));
  Request number = full(Scheme::wg_quick);
  number.table = Table::number;
  number.table_number = 77;
  CHECK_FALSE(leads(number));
}

TEST_CASE("Table is for wg-quick's scheme alone", "[host][routing]") {
  for (const Scheme scheme : {Scheme::strict, Scheme::split}) {
    Request request = full(scheme);
    request.kill_switch = true;
    const Texts planned = texts(request, plain_machine());
    request.table = Table::off;
    CHECK(texts(request, plain_machine()) == planned);
    request.table = Table::number;
    request.table_number = 77;
    CHECK(texts(request, plain_machine()) == planned);
  }
}

TEST_CASE("our scheme stands above table main and has no suppress rule", "[host][routing]") {
  CHECK(texts(full(Scheme::strict), plain_machine()) ==
        Texts{"table ltun_wg0", "sysctl -w net.ipv4.conf.eth0.arp_ignore=1",
              "ip -4 route add 0.0.0.0/0 dev wg0 table 51820",
              "ip -4 rule add not fwmark 0xca6c lookup 51820 priority 31821",
              "ip -6 route add ::/0 dev wg0 table 51820",
              "ip -6 rule add not fwmark 0xca6c lookup 51820 priority 31821"});
}

TEST_CASE("our scheme refuses IPv6 that the tunnel does not carry", "[host][routing]") {
  const Texts planned = texts(ipv4_only(Scheme::strict), plain_machine());
  CHECK(has(planned, "ip -6 route add unreachable ::/0 table 51820"));
  CHECK(has(planned, "ip -6 rule add not fwmark 0xca6c lookup 51820 priority 31821"));
  Machine old = plain_machine();
  old.sysctls.erase("net/ipv6/conf/all/disable_ipv6");
  for (const std::string& text : texts(ipv4_only(Scheme::strict), old)) {
    CHECK(text.find("ip -6") == std::string::npos);
  }
}

TEST_CASE("networks of bridges and other tunnels stay reachable, public ones of hardware do not",
          "[host][routing]") {
  const Texts planned = texts(full(Scheme::strict), with_containers());
  for (const char* network : {"172.17.0.0/16", "10.7.0.0/24", "10.50.0.0/24", "fd17::/64"}) {
    CHECK(has(planned, kept(network)));
  }
  for (const std::string& text : planned) {
    INFO(text);
    CHECK(text.find("100.0.0.0") == std::string::npos);
    CHECK(text.find("192.168.1.0") == std::string::npos);
    CHECK(text.find("fe80::") == std::string::npos);
  }
}

TEST_CASE("--lan keeps private networks of the uplink, and a public one never", "[host][routing]") {
  Machine machine = plain_machine();
  add_network(machine, "eth0", "198.51.100.7/24");
  add_network(machine, "eth0", "2001:db8::7/64");
  add_network(machine, "eth0", "fe80::7/64");
  Request request = full(Scheme::strict);
  request.lan = true;
  const Texts planned = texts(request, machine);
  for (const char* network : {"192.168.1.0/24", "fd12:1::/64", "fe80::/64"}) {
    CHECK(has(planned, kept(network)));
  }
  for (const std::string& text : planned) {
    CHECK(text.find("to 198.51.100") == std::string::npos);
    CHECK(text.find("to 2001:db8") == std::string::npos);
  }
}

TEST_CASE("a network that several interfaces are in is kept by one rule", "[host][routing]") {
  Machine machine = with_containers();
  add_network(machine, "eth0", "fe80::7/64");
  add_network(machine, "eth1", "fe80::8/64");
  add_network(machine, "eth1", "192.168.1.6/24");
  machine.routes.push_back({.prefix = prefix("0.0.0.0/0"), .device = "eth1"});
  Request request = full(Scheme::strict);
  request.lan = true;
  const Texts planned = texts(request, machine);
  for (const char* network : {"fe80::/64", "192.168.1.0/24"}) {
    CHECK(std::count(planned.begin(), planned.end(), kept(network)) == 1);
  }
}

TEST_CASE("a second tunnel in our scheme gets a table and rules of its own", "[host][routing]") {
  Machine machine = plain_machine();
  machine.routes.push_back({.prefix = prefix("0.0.0.0/0"), .device = "wg7", .table = 51820});
  machine.rules.push_back({TUNNEL_FAMILY_IPV4, 31821, 51820, 51820});
  CHECK(has(texts(ipv4_only(Scheme::strict), machine),
            "ip -4 rule add not fwmark 0xca6d lookup 51821 priority 31819"));
}

TEST_CASE("split routes fix the way to the endpoint and leave the default route alone",
          "[host][routing]") {
  CHECK(texts(ipv4_only(Scheme::split), plain_machine()) ==
        Texts{"table ltun_wg0", "sysctl -w net.ipv4.conf.eth0.arp_ignore=1",
              "ip -4 route add 203.0.113.5/32 via 192.168.1.1 dev eth0",
              "ip -4 route add 0.0.0.0/1 dev wg0", "ip -4 route add 128.0.0.0/1 dev wg0",
              "ip -6 route add unreachable ::/1", "ip -6 route add unreachable 8000::/1"});
  CHECK(chosen_mark(ipv4_only(Scheme::split), plain_machine()) == 51820);
  Request on_link = ipv4_only(Scheme::split);
  on_link.endpoints = {address("192.168.1.9:51820")};
  CHECK(has(texts(on_link, plain_machine()), "ip -4 route add 192.168.1.9/32 dev eth0"));
}

TEST_CASE("two peers behind one address have one split route", "[host][routing]") {
  Request request = ipv4_only(Scheme::split);
  const Texts planned = texts(request, plain_machine());
  request.endpoints.push_back(address("203.0.113.5:51821"));
  CHECK(texts(request, plain_machine()) == planned);
}

TEST_CASE("src_valid_mark is set for a strict rp_filter only", "[host][routing]") {
  const std::string step = "sysctl -w net.ipv4.conf.all.src_valid_mark=1";
  struct Case {
    const char* all;
    const char* uplink;
    bool set;
  };
  for (const Case& each : {Case{"0", "0", false}, Case{"0", "1", true}, Case{"1", "0", true},
                           Case{"0", "2", false}, Case{"2", "1", false}, Case{"1", "2", false}}) {
    Machine machine = plain_machine();
    machine.sysctls["net/ipv4/conf/all/rp_filter"] = each.all;
    machine.sysctls["net/ipv4/conf/eth0/rp_filter"] = each.uplink;
    INFO(each.all << each.uplink);
    CHECK(has(texts(ipv4_only(Scheme::strict), machine), step) == each.set);
    CHECK(has(texts(ipv4_only(Scheme::wg_quick), machine), step) == each.set);
  }
}

TEST_CASE("a kernel setting that is right already is a step: another tunnel may have made it so",
          "[host][routing]") {
  Machine machine = plain_machine();
  machine.sysctls["net/ipv4/conf/eth0/arp_ignore"] = "1";
  machine.sysctls["net/ipv4/conf/all/rp_filter"] = "1";
  machine.sysctls["net/ipv4/conf/all/src_valid_mark"] = "1";
  const auto planned = texts(full(Scheme::strict), machine);
  CHECK(has(planned, "sysctl -w net.ipv4.conf.eth0.arp_ignore=1"));
  CHECK(has(planned, "sysctl -w net.ipv4.conf.all.src_valid_mark=1"));
}

TEST_CASE("an uplink that answers for even less is left so", "[host][routing]") {
  Machine machine = plain_machine();
  machine.sysctls["net/ipv4/conf/eth0/arp_ignore"] = "2";
  for (const std::string& text : texts(full(Scheme::strict), machine)) {
    CHECK(text.find("arp_ignore") == std::string::npos);
  }
}

TEST_CASE("the MTU is that of the thinnest way to an endpoint, less 80", "[host][routing]") {
  Machine machine = plain_machine();
  machine.links.push_back({"ppp0", "ppp", true, false, 1492});
  machine.routes.push_back({.prefix = prefix("198.51.100.0/24"), .device = "ppp0"});
  Request request = full(Scheme::strict);
  CHECK(planned_mtu(request, machine) == 1420);
  request.endpoints.push_back(address("198.51.100.1:1"));
  CHECK(planned_mtu(request, machine) == 1412);
  request.mtu = 1300;
  CHECK(planned_mtu(request, machine) == 1300);
  CHECK(planned_mtu(Request{}, Machine{}) == 1420);
}

TEST_CASE("the block comes first, the filter before the routes", "[host][routing]") {
  Request request = ipv4_only(Scheme::strict);
  request.kill_switch = true;
  const std::vector<Step> steps = plan_routing(request, plain_machine());
  const auto* block = std::get_if<TableStep>(&steps.front());
  REQUIRE(block != nullptr);
  CHECK(block->name == "ltun");
  CHECK(block->survives);
  const auto is_table = [](const Step& step) { return std::holds_alternative<TableStep>(step); };
  const auto is_route = [](const Step& step) { return std::holds_alternative<RouteStep>(step); };
  const auto filter = std::find_if(steps.begin() + 1, steps.end(), is_table);
  CHECK(filter < std::find_if(steps.begin(), steps.end(), is_route));
  CHECK_FALSE(std::get<TableStep>(*filter).survives);
}
