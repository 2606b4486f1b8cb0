// The packet filter's tables, and what a server changes.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "host/routing/routing.h"
#include "host/step/step.h"
#include "machines.h"
#include "support/catch.hpp"
#include "support/netns.h"

using namespace tunnel::host;
using namespace tunnel::test;

namespace {

Request client() {
  Request request;
  request.name = "wg0";
  request.scheme = Scheme::strict;
  request.addresses = {prefix("10.9.0.2/24"), prefix("fd09::2/64")};
  request.allowed_ips = {prefix("0.0.0.0/0"), prefix("::/0")};
  request.endpoints = {address("203.0.113.5:51820"), address("[2001:db8::5]:443")};
  return request;
}

Request server() {
  Request request;
  request.name = "wg0";
  request.server = true;
  request.port = 51820;
  request.addresses = {prefix("10.9.0.1/24"), prefix("fd09::1/64")};
  request.allowed_ips = {prefix("10.9.0.2/32"), prefix("fd09::2/128")};
  return request;
}

std::string body(const Request& request, const Machine& machine, const std::string& name) {
  for (const Step& step : plan_routing(request, machine)) {
    const auto* table = std::get_if<TableStep>(&step);
    if (table != nullptr && table->name == name) return table->body;
  }
  return {};
}

std::vector<std::string> sysctls(const Request& request, const Machine& machine) {
  std::vector<std::string> found;
  for (const Step& step : plan_routing(request, machine)) {
    if (const auto* each = std::get_if<SysctlStep>(&step)) {
      found.push_back(each->name.substr(4) + "=" + each->value);
    }
  }
  return found;
}

std::vector<ForeignRuleStep> foreign(const Request& request, const Machine& machine) {
  std::vector<ForeignRuleStep> found;
  for (const Step& step : plan_routing(request, machine)) {
    if (const auto* each = std::get_if<ForeignRuleStep>(&step)) found.push_back(*each);
  }
  return found;
}

// The beginning of a rule for all of a network beside us.
const char* const kOpen = "oifname \"eth0\" ip";

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the tunnel's addresses answer nobody who comes another way", "[host][routing]") {
  for (const Scheme scheme : {Scheme::wg_quick, Scheme::strict, Scheme::split}) {
    Request request = client();
    request.scheme = scheme;
    const std::string text = body(request, plain_machine(), "ltun_wg0");
    CHECK(has(text, "filter hook prerouting priority raw"));
    CHECK(has(text, "iifname != \"wg0\" ip daddr 10.9.0.2 fib saddr type != local drop"));
    CHECK(has(text, "iifname != \"wg0\" ip6 daddr fd09::2 fib saddr type != local drop"));
  }
}

TEST_CASE("nobody outside speaks to a server in a client's name", "[host][routing]") {
  Request request = client();
  request.scheme = Scheme::wg_quick;
  request.server = true;
  const char* drop = "iifname != \"wg0\" fib saddr oifname \"wg0\" drop";
  // What comes from anywhere would go back into a tunnel that everything goes into.
  CHECK_FALSE(has(body(request, plain_machine(), "ltun_wg0"), drop));
  request.allowed_ips = {prefix("10.9.0.2/32")};
  CHECK(has(body(request, plain_machine(), "ltun_wg0"), drop));
  CHECK_FALSE(has(body(request, plain_machine(), "ltun_wg0"), "fib saddr type"));
}

TEST_CASE("the guard stands also without a default route and without routes of ours",
          "[host][routing]") {
  const std::string drop = "iifname != \"wg0\" ip daddr 10.9.0.2 fib saddr type != local drop";
  for (const Table table : {Table::automatic, Table::off, Table::number}) {
    Request request = client();
    request.scheme = Scheme::wg_quick;
    request.allowed_ips = {prefix("10.9.0.0/24")};
    request.table = table;
    request.table_number = 77;
    CHECK(has(body(request, plain_machine(), "ltun_wg0"), drop));
  }
}

TEST_CASE("a split route to an endpoint carries our datagrams alone", "[host][routing]") {
  Request request = client();
  request.scheme = Scheme::split;
  request.endpoints.push_back(address("192.168.1.9:7"));  // on-link: reached there anyway
  const std::string text = body(request, plain_machine(), "ltun_wg0");
  const std::string there = "oifname != \"wg0\" ip daddr 203.0.113.5 ";
  CHECK(has(text, there + "meta mark 51820 udp dport 51820 accept"));
  CHECK(has(text, there + "reject with icmpx admin-prohibited"));
  CHECK(has(text, "ip6 daddr 2001:db8::5 meta mark 51820 udp dport 443 accept"));
  CHECK(has(text, "hook forward priority filter"));
  CHECK_FALSE(has(text, "192.168.1.9"));
}

TEST_CASE("who called by an uplink is answered by it, unless there is a kill switch",
          "[host][routing]") {
  Request request = client();
  const std::string text = body(request, plain_machine(), "ltun_wg0");
  CHECK(has(text,
            "iifname { \"eth0\" } ct direction original ct mark 0 tcp dport != 32768-60999 "
            "ct mark set 51820"));
  CHECK(has(text, "type route hook output priority mangle"));
  request.kill_switch = true;
  CHECK_FALSE(has(body(request, plain_machine(), "ltun_wg0"), "ct mark"));
}

TEST_CASE("our mark goes to conntrack and back where rp_filter is strict", "[host][routing]") {
  Request request = client();
  request.kill_switch = true;
  Machine machine = plain_machine();
  machine.sysctls["net/ipv4/conf/all/rp_filter"] = "1";
  const std::string text = body(request, machine, "ltun_wg0");
  CHECK(has(text, "meta l4proto udp ct mark 51820 meta mark set ct mark"));
  CHECK(has(text, "meta l4proto udp meta mark 51820 ct mark set meta mark"));
}

TEST_CASE("a strict rp_filter lets neighbours ask who we are, by our mark", "[host][routing]") {
  const auto marked = [](const Request& request, const Machine& machine) {
    const std::vector<Step> steps = plan_routing(request, machine);
    return std::any_of(steps.begin(), steps.end(), [](const Step& step) {
      const auto* table = std::get_if<TableStep>(&step);
      return table != nullptr && table->arp && has(table->body, "meta mark set 51820");
    });
  };
  Machine machine = plain_machine();
  CHECK_FALSE(marked(client(), machine));
  machine.sysctls["net/ipv4/conf/all/rp_filter"] = "1";
  CHECK(marked(client(), machine));
  Request quick = client();
  quick.scheme = Scheme::wg_quick;  // the way back stands in table main
  CHECK_FALSE(marked(quick, machine));
}

TEST_CASE("the block lets marked UDP to an endpoint's address and port out, and little else",
          "[host][routing]") {
  Request request = client();
  request.kill_switch = true;
  request.resolvers = {address("192.168.1.1")};
  const std::string text = body(request, plain_machine(), "ltun");
  CHECK(has(text, "elements = { 203.0.113.5 . 51820 }"));
  CHECK(has(text, "elements = { 2001:db8::5 . 443 }"));
  CHECK(has(text, "elements = { 192.168.1.1 . 53 }"));
  CHECK(has(text, "hook output priority filter; policy drop"));
  CHECK(has(text, "hook forward priority filter; policy drop"));
  CHECK(has(text, "meta mark 51820 meta l4proto udp ip daddr . udp dport @endpoints4 accept"));
  CHECK(has(text, "meta mark 51820 meta l4proto udp ip6 daddr . udp dport @endpoints6 accept"));
  CHECK_FALSE(has(text, "mark 51820 accept"));
  CHECK(has(text, "udp sport 68 udp dport 67 ip daddr 255.255.255.255 accept"));
  CHECK(has(text, "oifname \"eth0\" udp sport 68 udp dport 67 ip daddr 192.168.1.0/24 accept"));
  CHECK(has(text, "hoplimit 255 ip6 daddr { fe80::/10, ff02::/16 } accept"));
  CHECK(has(text, "nd-neighbor-advert } ip6 hoplimit 255 ip6 daddr fd12:1::/64 accept"));
  CHECK_FALSE(has(text, kOpen));
  request.lan = true;
  const std::string open = body(request, plain_machine(), "ltun");
  CHECK(has(open, "oifname \"eth0\" ip daddr 192.168.1.0/24 accept"));
  CHECK(has(open, "oifname \"eth0\" ip6 daddr fd12:1::/64 accept"));
}

TEST_CASE("a link that was an uplink is not let through the block when its default route is gone",
          "[host][routing]") {
  Request request = client();
  request.kill_switch = true;
  Machine machine = plain_machine();
  request.numbers = chosen_numbers(request, machine);
  std::erase_if(machine.routes, [](const Route& route) { return is_default(route.prefix); });
  CHECK_FALSE(has(body(request, machine, "ltun"), kOpen));
  request.numbers = chosen_numbers(request, machine);
  CHECK_FALSE(has(body(request, machine, "ltun"), kOpen));
  const auto changed = sysctls(request, machine);
  CHECK(std::find(changed.begin(), changed.end(), "ipv4/conf/eth0/arp_ignore=1") != changed.end());
  std::erase_if(machine.links, [](const Link& link) { return link.name == "eth0"; });
  CHECK(chosen_numbers(request, machine).uplinks.empty());
}

TEST_CASE("the block knows no network of a machine that starts offline", "[host][routing]") {
  Request request = client();
  request.kill_switch = true;
  Machine machine = plain_machine();
  std::erase_if(machine.routes, [](const Route& route) { return is_default(route.prefix); });
  const auto open = [&] { return has(body(request, machine, "ltun"), kOpen); };
  for (const char* kind : {"", "vlan", "bond", "wwan", "newer"}) {
    machine.links.back().kind = kind;
    request.lan = false;
    CHECK_FALSE(open());
    request.lan = true;
    CHECK(open());
  }
  machine.links.back().kind = "bridge";
  request.lan = false;
  CHECK(open());
}

TEST_CASE("the block follows its endpoints as one table", "[host][routing]") {
  Request request = client();
  request.kill_switch = true;
  request.endpoints.clear();
  CHECK_FALSE(has(body(request, plain_machine(), "ltun"), "elements"));
  request.endpoints = {address("198.51.100.1:7")};
  CHECK(has(body(request, plain_machine(), "ltun"), "elements = { 198.51.100.1 . 7 }"));
}

TEST_CASE("names that are more than names do not get into a ruleset", "[host][routing]") {
  Machine machine = plain_machine();
  const std::string evil = "e\"};flush*";
  machine.links.push_back({evil, "bridge", true, false, 1500});
  add_network(machine, evil.c_str(), "172.30.0.1/16");
  machine.routes.push_back({.prefix = prefix("0.0.0.0/0"), .device = evil});
  Request request = client();
  request.kill_switch = true;
  request.lan = true;
  CHECK_FALSE(has(body(request, machine, "ltun"), "flush"));
  request.kill_switch = false;
  CHECK_FALSE(has(body(request, machine, "ltun_wg0"), "flush"));
  request.name = "a=b+";
  CHECK_FALSE(body(request, machine, "ltun_a/eb/p").empty());
}

TEST_CASE("a server forwards by interface and never for the whole machine", "[host][routing]") {
  Machine machine = plain_machine();
  const std::vector<std::string> wanted = {
      "ipv4/conf/wg0/forwarding=1", "ipv4/conf/eth0/forwarding=1", "ipv6/conf/eth0/accept_ra=2",
      "ipv6/conf/wg0/force_forwarding=1", "ipv6/conf/eth0/force_forwarding=1"};
  CHECK(sysctls(server(), machine) == wanted);
  // Through another tunnel, perhaps, which ends before this one.
  machine.sysctls["net/ipv4/conf/eth0/forwarding"] = "1";
  machine.sysctls["net/ipv6/conf/eth0/accept_ra"] = "2";
  machine.sysctls["net/ipv6/conf/eth0/force_forwarding"] = "1";
  CHECK(sysctls(server(), machine) == wanted);
}

TEST_CASE("where there is no force_forwarding, accept_ra comes before all.forwarding",
          "[host][routing]") {
  Machine machine = plain_machine();
  machine.sysctls.erase("net/ipv6/conf/all/force_forwarding");
  CHECK(sysctls(server(), machine) ==
        std::vector<std::string>{"ipv4/conf/wg0/forwarding=1", "ipv4/conf/eth0/forwarding=1",
                                 "ipv6/conf/eth0/accept_ra=2", "ipv6/conf/all/forwarding=1"});
}

TEST_CASE("a server translates what leaves by its uplink, and never from its own port",
          "[host][routing]") {
  const std::string text = body(server(), plain_machine(), "ltun_wg0");
  const std::string way = "iifname \"wg0\" oifname \"eth0\" ";
  CHECK(has(text, way + "meta nfproto ipv4 meta l4proto udp masquerade to :1024-51819"));
  CHECK(has(text, way + "meta nfproto ipv4 masquerade"));
  CHECK(has(text, way + "ip6 saddr fc00::/7 masquerade"));
  CHECK(has(text, "tcp option maxseg size set rt mtu"));
  CHECK(has(text, "iifname \"wg0\" oifname \"wg0\" drop"));
  CHECK_FALSE(has(text, "fib saddr type"));
  Request request = server();
  request.port = 443;
  request.nat = "eth5";
  request.client_to_client = true;
  const std::string other = body(request, plain_machine(), "ltun_wg0");
  CHECK(
      has(other, "oifname \"eth5\" meta nfproto ipv4 meta l4proto udp masquerade to :1024-65535"));
  CHECK_FALSE(has(other, "iifname \"wg0\" oifname \"wg0\" drop"));
}

TEST_CASE("a server's uplink is that of the best default route", "[host][routing]") {
  Machine machine = plain_machine();
  machine.links.push_back({"dsl0", "", true, false, 1500});  // before eth0 by its name alone
  machine.routes.push_back(
      {.prefix = prefix("0.0.0.0/0"), .device = "dsl0", .table = kMainTable, .metric = 200});
  machine.routes.push_back({.prefix = prefix("::/0"), .device = "dsl0", .table = kMainTable});
  CHECK(has(body(server(), machine, "ltun_wg0"), "iifname \"wg0\" oifname \"eth0\" "));
  const auto changed = sysctls(server(), machine);
  CHECK(std::find(changed.begin(), changed.end(), "ipv4/conf/eth0/forwarding=1") != changed.end());
}

TEST_CASE("chains of others that drop get two rules of ours, unless forbidden", "[host][routing]") {
  Machine machine = plain_machine();
  machine.forward_chains = {{"ip", "filter", "DOCKER-USER", true},
                            {"inet", "firewalld", "filter_FORWARD", true}};
  Request request = server();
  const std::vector<ForeignRuleStep> rules = foreign(request, machine);
  REQUIRE(rules.size() == 4);
  CHECK(rules[0].chain == "DOCKER-USER");
  CHECK(rules[0].rule == "iifname \"wg0\" oifname \"eth0\" accept");
  CHECK(rules[0].comment == "simplevpn wg0 out");
  CHECK(rules[1].rule == "iifname \"eth0\" oifname \"wg0\" ct state established,related accept");
  CHECK(rules[3].table == "firewalld");
  request.foreign_rules = false;
  CHECK(foreign(request, machine).empty());
  CHECK(foreign(client(), machine).empty());
  request = server();
  request.addresses = {prefix("fd09::1/64")};
  CHECK(foreign(request, machine).size() == 2);
}

TEST_CASE("a client takes the hosts of an interface along", "[host][routing]") {
  Machine machine = plain_machine();
  machine.links.push_back({"lan0", "", true, false, 1500});
  add_network(machine, "lan0", "10.50.0.1/24");
  Request request = client();
  request.share = "lan0";
  request.kill_switch = true;
  const std::string text = body(request, machine, "ltun_wg0");
  CHECK(has(text, "iifname \"lan0\" oifname \"wg0\" meta nfproto ipv4 masquerade"));
  CHECK(has(text, "iifname \"lan0\" oifname \"wg0\" meta nfproto ipv6 masquerade"));
  CHECK(has(text, "tcp option maxseg size set rt mtu"));
  const std::string block = body(request, machine, "ltun");
  CHECK(has(block, "oifname \"wg0\" accept"));
  CHECK(has(block, "iifname \"wg0\" ct state established,related accept"));
  const auto changed = sysctls(request, machine);
  CHECK(std::find(changed.begin(), changed.end(), "ipv4/conf/lan0/forwarding=1") != changed.end());
}

TEST_CASE("nft takes every table that we write", "[host][routing]") {
  Request blocked = client();
  blocked.kill_switch = true;
  blocked.lan = true;
  Request shared = client();
  shared.share = "eth0";
  shared.name = "a=b+c.d-e_f";
  Machine strict = plain_machine();
  strict.sysctls["net/ipv4/conf/all/rp_filter"] = "1";
  Request quick = client();
  quick.scheme = Scheme::wg_quick;
  Request split = client();
  split.scheme = Scheme::split;
  test::in_namespace([&] {
    if (std::system("nft --version > /dev/null 2>&1") != 0) throw test::Skip{"nft is missing"};
    for (const Request& request : {client(), blocked, shared, server(), quick, split}) {
      for (const Step& step : plan_routing(request, strict)) {
        const auto* table = std::get_if<TableStep>(&step);
        if (table == nullptr) continue;
        test::run_command("nft -f - <<'END'\n" + table_script(*table) + "\nEND\n");
      }
    }
  });
}
