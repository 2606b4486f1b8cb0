// replan_test.cpp — what is planned again while a tunnel runs.
#include <algorithm>

#include "routing_support.h"
#include "support/catch.hpp"

using namespace tunnel::host;
using namespace tunnel::test;

TEST_CASE("a tunnel keeps its numbers when other tunnels come and go", "[host][routing]") {
  for (const Scheme scheme : {Scheme::wg_quick, Scheme::strict}) {
    Request request = full(scheme);
    Machine before = plain_machine();
    before.rules.push_back({TUNNEL_FAMILY_IPV4, 31820, 51820, 51820});  // a tunnel that was first
    request.numbers = chosen_numbers(request, before);
    const Texts planned = texts(request, before);
    CHECK(texts(request, plain_machine()) == planned);  // it is gone
    Machine after = before;
    after.rules.push_back({TUNNEL_FAMILY_IPV4, 31700, 51821, 51821});
    after.routes.push_back({.prefix = prefix("0.0.0.0/0"), .device = "wg7", .table = 51821});
    CHECK(texts(request, after) == planned);
    CHECK(chosen_numbers(request, after).table == request.numbers.table);
  }
}

TEST_CASE("another mark changes the rules and not the table", "[host][routing]") {
  Request request = full(Scheme::strict);
  request.numbers = chosen_numbers(request, plain_machine());
  request.mark = 7;
  CHECK(chosen_mark(request, plain_machine()) == 7);
  const Texts planned = texts(request, plain_machine());
  CHECK(std::find(planned.begin(), planned.end(),
                  "ip -4 rule add not fwmark 0x7 lookup 51820 priority 31821") != planned.end());
  request.mark = 0;
  CHECK(chosen_mark(request, plain_machine()) == 51820);
}

TEST_CASE("a machine is planned for as if the tunnel did not run on it", "[host][routing]") {
  for (const Scheme scheme : {Scheme::wg_quick, Scheme::strict, Scheme::split}) {
    Request request = full(scheme);
    const Machine before = plain_machine();
    request.numbers = chosen_numbers(request, before);
    Machine running = before;
    running.links.push_back({"wg0", "tun", true, false, 1420});
    add_network(running, "wg0", "10.9.0.2/24");
    std::vector<TakenStep> taken;
    for (const Step& step : plan_routing(request, before)) {
      if (const auto* route = std::get_if<RouteStep>(&step)) {
        running.routes.push_back({.prefix = route->prefix,
                                  .device = route->device,
                                  .gateway = route->gateway,
                                  .table = route->table});
      }
      if (const auto* setting = std::get_if<SysctlStep>(&step)) {
        running.sysctls[setting->name] = setting->value;
      }
      taken.push_back({step, "0"});
    }
    CHECK(texts(request, without(running, "wg0", taken)) == texts(request, before));
  }
}

TEST_CASE("a kernel setting that somebody changed since is part of the machine",
          "[host][routing]") {
  Machine machine = plain_machine();
  const std::string name = "net/ipv4/conf/eth0/arp_ignore";
  machine.sysctls[name] = "2";
  CHECK(without(machine, "wg0", {{SysctlStep{name, "1"}, "0"}}).sysctl(name) == "2");
  machine.sysctls[name] = "1";
  CHECK(without(machine, "wg0", {{SysctlStep{name, "1"}, "0"}}).sysctl(name) == "0");
}

TEST_CASE("the way to the endpoint follows the best default route", "[host][routing]") {
  Request request = full(Scheme::split);
  Machine machine = plain_machine();
  machine.links.push_back({"wlan0", "", true, false, 1500});
  add_network(machine, "wlan0", "192.168.7.5/24");
  machine.routes.push_back({.prefix = prefix("0.0.0.0/0"),
                            .device = "wlan0",
                            .gateway = address("192.168.7.1"),
                            .metric = 600});
  const auto has_way = [&](const char* way) {
    const Texts planned = texts(request, machine);
    return std::find(planned.begin(), planned.end(), way) != planned.end();
  };
  CHECK(has_way("ip -4 route add 203.0.113.5/32 via 192.168.1.1 dev eth0"));
  std::erase_if(machine.routes, [](const Route& route) { return route.device == "eth0"; });
  CHECK(has_way("ip -4 route add 203.0.113.5/32 via 192.168.7.1 dev wlan0"));
}
