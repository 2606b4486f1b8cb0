// applier_test.cpp — each kind of step, really applied in a network namespace, met by a third
// party, and undone.
#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/base.h"
#include "settings_support.h"

using namespace tunnel::host;
using namespace tunnel::test;

namespace {

struct Change {
  const char* what;
  Step step;
  const char* seen;    // in `machine()` when it is applied
  const char* meddle;  // what a third party does then; it must survive the undoing
  const char* kept;    // what of it is seen afterwards
};

std::vector<Change> changes() {
  return {
      {"an IPv4 address", AddressStep{prefix("10.9.0.1/24")}, "inet 10.9.0.1/24 scope global wgt0",
       "ip addr add 10.8.0.1/24 dev wgt0", "inet 10.8.0.1/24"},
      {"a route in a table",
       RouteStep{.prefix = prefix("0.0.0.0/0"), .device = "wgt0", .table = 77},
       "default dev wgt0 table 77 proto 87 scope link",
       "ip route add 10.66.0.0/16 dev wgt0 table 77", "10.66.0.0/16 dev wgt0 table 77"},
      {"a route by a gateway",
       RouteStep{
           .prefix = prefix("203.0.113.7/32"), .device = "wgt0", .gateway = address("192.0.2.9")},
       "203.0.113.7 via 192.0.2.9 dev wgt0 proto 87",
       "ip route add 203.0.113.7 via 192.0.2.8 dev wgt0 metric 5 proto static",
       "203.0.113.7 via 192.0.2.8 dev wgt0 proto static metric 5"},
      {"an unreachable IPv4 route",
       RouteStep{.prefix = prefix("10.1.0.0/16"), .device = "", .table = 77, .unreachable = true},
       "unreachable 10.1.0.0/16 table 77 proto 87",
       "ip route add unreachable 10.1.0.0/16 metric 9 table 77", "metric 9"},
      {"an unreachable IPv6 route",
       RouteStep{.prefix = prefix("::/0"), .device = "", .table = 77, .unreachable = true},
       "unreachable default dev lo table 77 proto 87", "ip -6 route add 2001:db8::/32 dev wgt0",
       "2001:db8::/32 dev wgt0"},
      {"a rule for all but marked packets",
       RuleStep{.family = 4, .table = 77, .mark = 0xca6c, .not_mark = true},
       "not from all fwmark 0xca6c lookup 77 proto 87",
       "ip rule add not fwmark 0xca6c lookup 77 priority 9 protocol static",
       "not from all fwmark 0xca6c lookup 77 proto static"},
      {"a rule that suppresses the default route",
       RuleStep{.family = 6, .suppress_prefixlength = 0},
       "from all lookup main suppress_prefixlength 0 proto 87",
       "ip -6 rule add lookup main suppress_prefixlength 0 priority 8",
       "from all lookup main suppress_prefixlength 0"},
      {"a rule for a prefix", RuleStep{.family = 4, .priority = 55, .to = prefix("172.17.0.0/16")},
       "55:\tfrom all to 172.17.0.0/16 lookup main proto 87",
       "ip rule add to 172.17.0.0/16 iif wgt0 lookup main priority 55",
       "55:\tfrom all to 172.17.0.0/16 iif wgt0 lookup main"},
      {"a kernel setting", SysctlStep{"net/ipv4/conf/wgt0/forwarding", "1"},
       "net.ipv4.conf.wgt0.forwarding = 1", "true", ""},
      {"a setting of two words", SysctlStep{"net/ipv4/ping_group_range", "1 7"},
       "net.ipv4.ping_group_range = 1\t7", "true", ""},
      {"a table", TableStep{"ours", "chain a { type filter hook output priority 0; accept\n}"},
       "table inet ours {", "nft add table ip ours", "table ip ours {"},
      {"a table of family arp",
       TableStep{"ours", "chain a { type filter hook input priority 0; accept\n}", false, false,
                 true},
       "table arp ours {", "nft add table inet ours", "table inet ours {"},
      {"a rule in a chain of somebody else",
       ForeignRuleStep{"ip", "theirs", "forward", "iifname \"wgt0\" accept", "simplevpn wgt0"},
       "iifname \"wgt0\" accept comment \"simplevpn wgt0\"",
       "nft insert rule ip theirs forward iifname wgt0 accept comment \\\"simplevpn wgt1\\\"",
       "comment \"simplevpn wgt1\""},
  };
}

void prepare() {
  make_links();
  ::test::run_command("ip addr add 192.0.2.1/24 dev wgt0");
  ::test::run_command(
      "nft 'table ip theirs { chain forward { type filter hook forward priority 0; policy drop;"
      " counter accept comment \"simplevpn\"\n}\n}'");
}

Applier applier(std::vector<Step> steps) {
  return Applier(Plan{"wgt0", std::move(steps)});
}

}  // namespace

TEST_CASE("every kind of step is applied, does what its text says, and is undone without a trace",
          "[host][settings]") {
  for (const Change& each : changes()) {
    ::test::in_namespace([&] {
      INFO(each.what);
      prepare();
      const std::string before = machine();
      REQUIRE_FALSE(has_line(before, each.seen));
      Applier one = applier({each.step});
      tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
      const std::int32_t status = one.apply(fault);
      INFO(fault.message);
      REQUIRE(status == TUNNEL_OK);
      const std::string applied = machine();
      INFO(applied);
      REQUIRE(has_line(applied, each.seen));
      REQUIRE(one.undo(fault) == TUNNEL_OK);
      REQUIRE(machine() == before);
      // What --dry-run prints is no picture of it but the same thing.
      ::test::run_command("{ " + step_text(each.step, "wgt0") + "\n}");
      REQUIRE(machine() == applied);
    });
  }
}

// Without that, the kernel first asks the neighbours, of whom a tunnel has none.
TEST_CASE("a program can bind to an IPv6 address at once", "[host][settings]") {
  ::test::in_namespace([&] {
    make_links();
    Applier one = applier({AddressStep{prefix("fd09::1/64")}});
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    REQUIRE(one.apply(fault) == TUNNEL_OK);
    const tunnel::base::Descriptor fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 own{};
    own.sin6_family = AF_INET6;
    REQUIRE(::inet_pton(AF_INET6, "fd09::1", &own.sin6_addr) == 1);
    const auto* name = reinterpret_cast<const sockaddr*>(&own);
    REQUIRE(::bind(fd.get(), name, sizeof own) == 0);
    const std::string text = step_text(AddressStep{prefix("fd09::1/64")}, "wgt0");
    REQUIRE(text == "ip -6 address add fd09::1/64 dev wgt0 nodad");
    REQUIRE(one.undo(fault) == TUNNEL_OK);
    ::test::run_command(text);  // ip understands it
    REQUIRE_FALSE(has_line(machine(), "tentative"));
  });
}

TEST_CASE("what a third party put beside a step survives its undoing", "[host][settings]") {
  for (const Change& each : changes()) {
    ::test::in_namespace([&] {
      INFO(each.what);
      prepare();
      Applier one = applier({each.step});
      tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
      REQUIRE(one.apply(fault) == TUNNEL_OK);
      ::test::run_command(each.meddle);
      REQUIRE(one.undo(fault) == TUNNEL_OK);
      const std::string now = machine();
      INFO(now);
      REQUIRE_FALSE(has_line(now, each.seen));
      REQUIRE(has_line(now, each.kept));
    });
  }
}

TEST_CASE("what was removed by somebody else is undone already", "[host][settings]") {
  ::test::in_namespace([] {
    prepare();
    std::vector<Step> steps;
    for (const Change& each : changes()) steps.push_back(each.step);
    Applier all = applier(steps);
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    const std::int32_t status = all.apply(fault);
    INFO(fault.message);
    REQUIRE(status == TUNNEL_OK);
    ::test::run_command("ip link del wgt0; ip route flush table 77; ip -6 route flush table 77");
    ::test::run_command("ip rule flush; ip -6 rule flush; nft flush ruleset");
    const std::string before = machine();
    const std::int32_t undone = all.undo(fault);
    INFO(fault.message);
    REQUIRE(undone == TUNNEL_OK);
    REQUIRE(has_line(machine(), "net.ipv4.ping_group_range = 1\t0"));
    ::test::run_command("sysctl -qw 'net.ipv4.ping_group_range=1 7'");
    REQUIRE(machine() == before);
  });
}

TEST_CASE("a route or rule that cannot be asked for is not taken for gone", "[host][settings]") {
  ::test::in_namespace([] {
    const Step steps[] = {
        RuleStep{.family = 4, .priority = 55, .table = 77},
        RouteStep{.prefix = prefix("0.0.0.0/0"), .device = "", .table = 77, .unreachable = true}};
    // The lowest free number: the next descriptor, which is the netlink socket.
    const int socket = ::dup(STDIN_FILENO);
    ::close(socket);
    auto tools = Tools::open("lo");
    REQUIRE(tools);
    for (const Step& step : steps) REQUIRE(take(*tools, step, "").error == 0);
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    REQUIRE(::dup2(nothing, socket) == socket);
    for (const Step& step : steps) {
      REQUIRE(look(*tools, step).answer.error == ENOTSOCK);
      REQUIRE(undo(*tools, step, "").error == ENOTSOCK);
    }
  });
}

TEST_CASE("the table is not read for each of the tunnel's own routes", "[host][settings]") {
  ::test::in_namespace([] {
    const Step step = RouteStep{.prefix = prefix("192.0.2.0/24"), .device = "lo"};
    const int socket = ::dup(STDIN_FILENO);
    ::close(socket);
    auto tools = Tools::open("lo");
    REQUIRE(tools);
    REQUIRE(take(*tools, step, "").error == 0);
    REQUIRE(take(*tools, step, "").error == EEXIST);
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    REQUIRE(::dup2(nothing, socket) == socket);
    REQUIRE(look(*tools, step).answer.error == 0);
  });
}

TEST_CASE("a setting that somebody changed after us is left alone", "[host][settings]") {
  ::test::in_namespace([] {
    prepare();
    Applier one = applier({SysctlStep{"net/ipv4/conf/wgt0/rp_filter", "2"}});
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    REQUIRE(one.apply(fault) == TUNNEL_OK);
    ::test::run_command("sysctl -qw net.ipv4.conf.wgt0.rp_filter=1");
    REQUIRE(one.undo(fault) == TUNNEL_OK);
    REQUIRE(has_line(machine(), "net.ipv4.conf.wgt0.rp_filter = 1"));
  });
}

TEST_CASE("who forwarded IPv6 before all did still does afterwards", "[host][settings]") {
  ::test::in_namespace([] {
    prepare();
    ::test::run_command("ip link add bridge type bridge");
    ::test::run_command("sysctl -qw net.ipv6.conf.other.forwarding=1");
    ::test::run_command("sysctl -qw net.ipv6.conf.bridge.forwarding=1");
    Applier one = applier({SysctlStep{"net/ipv6/conf/all/forwarding", "1"}});
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    REQUIRE(one.apply(fault) == TUNNEL_OK);
    REQUIRE(has_line(machine(), "net.ipv6.conf.wgt0.forwarding = 1"));
    ::test::run_command("ip link del bridge");
    REQUIRE(one.undo(fault) == TUNNEL_OK);
    const std::string now = machine();
    REQUIRE(has_line(now, "net.ipv6.conf.other.forwarding = 1"));
    for (const char* name : {"all", "default", "lo", "wgt0"}) {
      REQUIRE(has_line(now, "net.ipv6.conf." + std::string(name) + ".forwarding = 0"));
    }
  });
}

TEST_CASE("name servers that change between the journal and our own are put back",
          "[host][settings]") {
  ::test::in_namespace([] {
    if (::unshare(CLONE_NEWNS) != 0) throw ::test::Skip{"mount namespaces are not allowed here"};
    ::test::run_command("mount --make-rprivate / && mount -t tmpfs tmpfs /etc");
    ::test::run_command("echo nameserver 192.0.2.1 >/etc/resolv.conf");
    auto tools = Tools::open("lo");
    REQUIRE(tools);
    const Step step =
        ResolverStep{ResolverStep::Backend::file, "lo", {address("10.9.0.1")}, {}, true};
    const Look journalled = look(*tools, step);
    REQUIRE(journalled.answer.error == 0);
    ::test::run_command("echo nameserver 192.0.2.2 >/etc/resolv.conf");
    REQUIRE(take(*tools, step, journalled.before).error == 0);
    ::test::run_command("grep -q 'nameserver 10.9.0.1' /etc/resolv.conf");
    REQUIRE(undo(*tools, step, journalled.before).error == 0);
    ::test::run_command("! grep 'nameserver 10.9.0.1' /etc/resolv.conf");
  });
}

TEST_CASE("a read-only /proc/sys matters only to a value that is wrong", "[host][settings]") {
  ::test::in_namespace([] {
    prepare();
    if (::unshare(CLONE_NEWNS) != 0) throw ::test::Skip{"mount namespaces are not allowed here"};
    ::test::run_command("mount --make-rprivate / && mount --bind /proc/sys /proc/sys");
    ::test::run_command("mount -o remount,bind,ro /proc/sys");
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    Applier right = applier({SysctlStep{"net/ipv4/conf/wgt0/forwarding", "0"}});
    REQUIRE(right.apply(fault) == TUNNEL_OK);
    REQUIRE_FALSE(right.applied(0));
    Applier wrong = applier({SysctlStep{"net/ipv4/conf/wgt0/forwarding", "1"}});
    REQUIRE(wrong.apply(fault) == TUNNEL_ERR_PERMISSION);
    REQUIRE(std::string(fault.message) ==
            "sysctl -w net.ipv4.conf.wgt0.forwarding=1: Read-only file system");
  });
}

TEST_CASE("a name that leads out of /proc/sys is refused", "[host][settings]") {
  ::test::in_namespace([] {
    prepare();
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    for (const char* name : {"", "../../etc/motd", "net/../../self/oom_score_adj", "/net", ".."}) {
      Applier one = applier({SysctlStep{name, "1"}});
      REQUIRE(one.apply(fault) == TUNNEL_ERR_SYSTEM);
    }
  });
}

TEST_CASE("a table, chain or comment that nft would read as a command is refused",
          "[host][settings]") {
  ::test::in_namespace([] {
    prepare();
    const std::string before = machine();
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    const Step steps[] = {
        TableStep{"a; flush ruleset", ""},
        TableStep{"", ""},
        ForeignRuleStep{"ip", "theirs", "forward; flush ruleset", "accept", "c"},
        ForeignRuleStep{"ip", "theirs", "forward", "accept", "c\"; flush ruleset; #"},
        ForeignRuleStep{"ip6 x", "theirs", "forward", "accept", "c"},
    };
    for (const Step& step : steps) {
      Applier one = applier({step});
      REQUIRE(one.apply(fault) == TUNNEL_ERR_SYSTEM);
    }
    REQUIRE(machine() == before);
  });
}

TEST_CASE("a table of the same name that is not ours is neither replaced nor removed",
          "[host][settings]") {
  ::test::in_namespace([] {
    prepare();
    ::test::run_command("nft add table inet ours");
    const std::string before = machine();
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    Applier one =
        applier({SysctlStep{"net/ipv4/conf/wgt0/forwarding", "1"}, TableStep{"ours", ""}});
    REQUIRE(one.apply(fault) == TUNNEL_ERR_EXISTS);
    REQUIRE(fault.index == 1);
    REQUIRE(machine() == before);
  });
}

TEST_CASE("a script that nft refuses is explained", "[host][settings]") {
  ::test::in_namespace([] {
    prepare();
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    Applier one = applier({TableStep{"ours", "chain a { nonsense }"}});
    REQUIRE(one.apply(fault) == TUNNEL_ERR_SYSTEM);
    INFO(fault.message);
    REQUIRE(has_line(fault.message, "syntax error"));
    Applier two = applier({ForeignRuleStep{"ip", "theirs", "none", "accept", "c"}});
    REQUIRE(two.apply(fault) == TUNNEL_ERR_NOT_FOUND);
  });
}
