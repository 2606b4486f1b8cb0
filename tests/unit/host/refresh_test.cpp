// refresh_test.cpp — plans in force, met by third parties and by other plans, in a network
// namespace.
#include <poll.h>

#include "scratch.h"
#include "settings_support.h"

using namespace tunnel::host;
using namespace tunnel::test;

namespace {

using What = StepChange::What;

constexpr const char* kTable = "chain a { type filter hook output priority 0; accept\n}";
constexpr const char* kArp = "chain a { type filter hook input priority 0; accept\n}";

RuleStep past(const char* network) {
  RuleStep rule{TUNNEL_FAMILY_IPV4, 55};
  rule.to = prefix(network);
  return rule;
}

RouteStep by(const char* gateway) {
  RouteStep route{prefix("203.0.113.7/32"), "wgt0"};
  route.gateway = address(gateway);
  return route;
}

struct Loss {
  const char* what;
  Step step;
  const char* command;  // takes it away
};

std::vector<Loss> losses() {
  RuleStep ours{TUNNEL_FAMILY_IPV6, 56, 77};
  ours.mark = 0xca6c;
  ours.not_mark = true;
  return {
      {"an address", AddressStep{prefix("10.9.0.2/24")}, "ip addr del 10.9.0.2/24 dev wgt0"},
      {"an address of IPv6", AddressStep{prefix("fd09::2/64")}, "ip addr del fd09::2/64 dev wgt0"},
      {"a route", RouteStep{prefix("0.0.0.0/0"), "wgt0", 77}, "ip route flush table 77"},
      {"a route by a gateway", by("192.0.2.9"), "ip route del 203.0.113.7"},
      {"a rule", past("172.17.0.0/16"), "ip rule del priority 55"},
      {"a rule of IPv6", ours, "ip -6 rule del priority 56"},
      {"a kernel setting", SysctlStep{"net/ipv4/conf/wgt0/forwarding", "1"},
       "sysctl -qw net.ipv4.conf.wgt0.forwarding=0"},
      {"a table", TableStep{"ours", kTable}, "nft flush ruleset"},
      {"a table of family arp", TableStep{"ours", kArp, false, false, true},
       "nft delete table arp ours"},
      {"what a table says", TableStep{"ours", kTable}, "nft flush table inet ours"},
      {"a rule in a chain of somebody else",
       ForeignRuleStep{"ip", "theirs", "forward", "iifname \"wgt0\" accept", "simplevpn wgt0"},
       "nft flush chain ip theirs forward"},
  };
}

void prepare() {
  make_links();
  ::test::run_command(
      "sysctl -qw net.ipv6.conf.wgt0.accept_dad=0; ip addr add 192.0.2.1/24 dev wgt0");
  ::test::run_command(
      "nft 'table ip theirs { chain forward { type filter hook forward priority 0; }\n}'");
}

Applier applied(std::vector<Step> steps) {
  Applier applier(Plan{"wgt0", std::move(steps)});
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  const std::int32_t status = applier.apply(fault);
  INFO(fault.message);
  REQUIRE(status == TUNNEL_OK);
  return applier;
}

std::vector<What> refresh(Applier& applier, const std::vector<Step>& wanted) {
  std::vector<StepChange> changes;
  REQUIRE(applier.refresh(wanted, changes) == TUNNEL_OK);
  std::vector<What> found;
  for (const StepChange& each : changes) found.push_back(each.what);
  return found;
}

void undo(Applier& applier) {
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  REQUIRE(applier.undo(fault) == TUNNEL_OK);
}

}  // namespace

TEST_CASE("what others take away is put back, and undone in the end", "[host][settings]") {
  for (const Loss& each : losses()) {
    ::test::in_namespace([&] {
      INFO(each.what);
      prepare();
      const std::string before = machine();
      Applier applier = applied({each.step});
      const std::string running = machine();
      REQUIRE(refresh(applier, {each.step}).empty());
      ::test::run_command(each.command);
      const std::string meddled = machine();
      REQUIRE(meddled != running);
      REQUIRE(refresh(applier, {each.step}) == std::vector<What>{What::restored});
      REQUIRE(refresh(applier, {each.step}).empty());
      undo(applier);
      REQUIRE(machine().find("proto 87") == std::string::npos);
      if (std::string(each.command).find("flush ruleset") == std::string::npos) {
        REQUIRE(machine() == before);
      }
    });
  }
}

TEST_CASE("a plan that became another one leaves no trace of the former", "[host][settings]") {
  ::test::in_namespace([] {
    prepare();
    const std::string before = machine();
    const Step table = TableStep{"ours", kTable};
    const Step other_table =
        TableStep{"ours", "chain b { type filter hook input priority 0; accept\n}"};
    const Step setting = SysctlStep{"net/ipv4/conf/wgt0/forwarding", "1"};
    Applier applier = applied({table, by("192.0.2.9"), past("172.17.0.0/16"), setting});
    const auto found = refresh(applier, {other_table, by("192.0.2.8"), past("172.18.0.0/16")});
    REQUIRE(found ==
            std::vector<What>{What::removed, What::removed, What::added, What::added, What::added});
    const std::string now = machine();
    REQUIRE(has_line(now, "203.0.113.7 via 192.0.2.8"));
    REQUIRE_FALSE(has_line(now, "192.0.2.9"));
    REQUIRE_FALSE(has_line(now, "172.17.0.0"));
    REQUIRE(has_line(now, "chain b"));
    REQUIRE_FALSE(has_line(now, "chain a"));
    REQUIRE(has_line(now, "net.ipv4.conf.wgt0.forwarding = 0"));
    undo(applier);
    REQUIRE(machine() == before);
  });
}

TEST_CASE("what keeps packets inside goes only when its successor is there", "[host][settings]") {
  ::test::in_namespace([] {
    prepare();
    const Step inside = RouteStep{prefix("0.0.0.0/0"), "wgt0", 77};
    RouteStep impossible{prefix("10.0.0.0/8"), "wgt0"};
    impossible.gateway = address("198.51.100.1");  // no way there
    Applier applier = applied({inside, past("172.17.0.0/16")});
    REQUIRE(refresh(applier, {impossible}) == std::vector<What>{What::removed, What::failed});
    REQUIRE(has_line(machine(), "default dev wgt0 table 77"));
    ::test::run_command("ip addr add 198.51.100.2/24 dev wgt0");
    REQUIRE(refresh(applier, {impossible}) == std::vector<What>{What::added, What::removed});
    REQUIRE_FALSE(has_line(machine(), "default dev wgt0 table 77"));
  });
}

TEST_CASE("a refresh before and after a plan is in force is refused", "[host][settings]") {
  ::test::in_namespace([] {
    prepare();
    std::vector<StepChange> changes;
    Applier applier(Plan{"wgt0", {past("172.17.0.0/16")}});
    REQUIRE(applier.refresh({}, changes) == TUNNEL_ERR_STATE);
    Applier other = applied({past("172.17.0.0/16")});
    undo(other);
    REQUIRE(other.refresh({}, changes) == TUNNEL_ERR_STATE);
    REQUIRE(changes.empty());
  });
}

TEST_CASE("each change of a refresh is in the journal until it is undone", "[host][settings]") {
  ::test::in_namespace([] {
    prepare();
    const std::string before = machine();
    const Scratch scratch;
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    {
      Applier applier(Plan{"wgt0", {by("192.0.2.9"), past("172.17.0.0/16")}});
      REQUIRE(applier.open_journal(scratch.path(), fault) == TUNNEL_OK);
      REQUIRE(applier.apply(fault) == TUNNEL_OK);
      ::test::run_command("ip rule del priority 55");
      (void)refresh(applier, {by("192.0.2.8"), past("172.17.0.0/16"), past("172.18.0.0/16")});
    }  // as if it had been killed; its own interface, with what is routed there, goes with it
    ::test::run_command("ip route del 203.0.113.7");
    REQUIRE(machine() != before);
    REQUIRE(clean_up(scratch.path(), "wgt0", Block::kept, fault) == TUNNEL_OK);
    REQUIRE(machine() == before);
  });
}

TEST_CASE("a watch is readable when the machine changed, and quiet otherwise", "[host][settings]") {
  ::test::in_namespace([] {
    auto watch = Watch::open();
    REQUIRE(watch);
    const auto readable = [&](int milliseconds) {
      pollfd one{watch->handle(), POLLIN, 0};
      return ::poll(&one, 1, milliseconds) == 1;
    };
    const auto looked = [&] {
      const auto now = Pace::Clock::now();
      (void)watch->looked({now, now, {}, false});
    };
    (void)watch->due(Pace::Clock::now());
    looked();
    REQUIRE_FALSE(readable(0));
    for (const char* command :
         {"ip link add wgt0 type veth", "ip addr add 192.0.2.1/24 dev wgt0", "ip link set wgt0 up",
          "ip rule add to 192.0.2.0/24 lookup 7", "ip -6 rule add to fd00::/8 lookup 7",
          "ip route add blackhole 198.51.100.0/24", "ip -6 route add blackhole fd00::/8",
          "nft add table inet other"}) {
      INFO(command);
      ::test::run_command(command);
      REQUIRE(readable(5000));
      while (!watch->due(Pace::Clock::now())) REQUIRE(readable(5000));
      looked();
      while (readable(0)) {  // what came in the meantime, like the carrier of a link
        while (!watch->due(Pace::Clock::now())) REQUIRE(readable(5000));
        looked();
      }
    }
  });
}
