// Defects of the simple-vpn-demo that show in what is planned, before anything is changed. The
// others are in tests/system/defects_test.py, under the same numbers.
#include <algorithm>
#include <string>
#include <vector>

#include "host/routing/routing.h"
#include "host/step/step.h"
#include "machines.h"
#include "support/catch.hpp"

using namespace tunnel::host;
using namespace tunnel::test;

namespace {

Request client(const char* allowed_ips) {
  Request request;
  request.name = "wg0";
  request.scheme = Scheme::strict;
  request.addresses = {prefix("10.9.0.2/24")};
  request.allowed_ips = {prefix(allowed_ips)};
  request.endpoints = {address("203.0.113.5:51820")};
  return request;
}

Request server() {
  Request request;
  request.name = "wg0";
  request.server = true;
  request.port = 51820;
  request.addresses = {prefix("10.9.0.1/24")};
  request.allowed_ips = {prefix("10.9.0.2/32")};
  return request;
}

// Commands that do the same, and the packet filter's tables.
std::string everything(const Request& request, const Machine& machine) {
  std::string text;
  for (const Step& step : plan_routing(request, machine)) {
    text += step_text(step, request.name) + "\n";
    if (const auto* table = std::get_if<TableStep>(&step)) text += table->body;
  }
  return text;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("defect 6: forwarding is set for two interfaces, so that it can be given back",
          "[host][routing][defects]") {
  const std::string planned = everything(server(), plain_machine());
  CHECK(has(planned, "net.ipv4.conf.wg0.forwarding=1"));
  CHECK(has(planned, "net.ipv4.conf.eth0.forwarding=1"));
  CHECK_FALSE(has(planned, "ip_forward"));
  CHECK_FALSE(has(planned, "conf.all.forwarding"));
  // Rules stand in one table of our own, which is replaced as a whole: nothing is there twice.
  std::size_t tables = 0;
  for (const Step& step : plan_routing(server(), plain_machine())) {
    const auto* table = std::get_if<TableStep>(&step);
    tables += table != nullptr && table->name == "ltun_wg0" ? 1u : 0u;
  }
  CHECK(tables == 1);
}

TEST_CASE("defect 8: IPv6 does not go around a tunnel that has none", "[host][routing][defects]") {
  const Request request = client("0.0.0.0/0");
  CHECK(has(everything(request, plain_machine()), "ip -6 route add unreachable ::/0"));
  Request blocked = request;
  blocked.kill_switch = true;
  const std::string planned = everything(blocked, plain_machine());
  CHECK(has(planned, "policy drop"));
  CHECK_FALSE(has(planned, "meta nfproto ipv6 accept"));
}

TEST_CASE("defect 9: no plan depends on how the default route looks", "[host][routing][defects]") {
  Machine on_link = plain_machine();
  Machine several = plain_machine();
  for (auto& route : on_link.routes) {
    if (route.prefix.length == 0) route.gateway = {};
  }
  several.links.push_back({"eth1", "", true, false, 1500});
  several.routes.push_back({.prefix = prefix("0.0.0.0/0"),
                            .device = "eth1",
                            .gateway = address("10.50.0.1"),
                            .table = kMainTable,
                            .metric = 100});
  Request request = client("0.0.0.0/0");
  request.endpoints = {address("[2001:db8::5]:51820")};
  for (const Machine& machine : {plain_machine(), on_link, several}) {
    const std::string planned = everything(request, machine);
    CHECK(has(planned, "0.0.0.0/0"));
    CHECK_FALSE(has(planned, " via "));         // no route through a gateway that may change
    CHECK_FALSE(has(planned, "2001:db8::5/"));  // no host route that may become stale
  }
}

TEST_CASE("defect 11: clients may call out, and nobody may call in", "[host][routing][defects]") {
  Machine machine = plain_machine();
  machine.forward_chains = {{"ip", "filter", "FORWARD", true}};  // policy DROP
  const std::string planned = everything(server(), machine);
  CHECK(has(planned, "iifname \"wg0\" oifname \"eth0\" accept"));
  CHECK(has(planned, "iifname \"eth0\" oifname \"wg0\" ct state established,related accept"));
  CHECK_FALSE(has(planned, "iifname \"eth0\" oifname \"wg0\" accept"));
}

TEST_CASE("defect 12: TCP through the server learns how long its segments may be",
          "[host][routing][defects]") {
  CHECK(has(everything(server(), plain_machine()), "tcp option maxseg size set rt mtu"));
}
