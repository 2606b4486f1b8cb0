#include "host/step/step.h"

#include "settings_support.h"

using namespace tunnel::host;
using namespace tunnel::test;

namespace {

struct Case {
  Step step;
  const char* text;
};

std::vector<Case> cases() {
  using Backend = ResolverStep::Backend;
  return {
      {MtuStep{1400}, "ip link set dev wg0 mtu 1400"},
      {AddressStep{prefix("10.9.0.1/24")}, "ip -4 address add 10.9.0.1/24 dev wg0"},
      {AddressStep{prefix("fd00::1/64")}, "ip -6 address add fd00::1/64 dev wg0 nodad"},
      {UpStep{}, "ip link set dev wg0 up"},
      {RouteStep{.prefix = prefix("10.0.0.0/8"), .device = "wg0"},
       "ip -4 route add 10.0.0.0/8 dev wg0 proto 87"},
      {RouteStep{.prefix = prefix("0.0.0.0/0"), .device = "wg0", .table = 51820},
       "ip -4 route add 0.0.0.0/0 dev wg0 table 51820 proto 87"},
      {RouteStep{
           .prefix = prefix("192.0.2.1/32"), .device = "eth0", .gateway = address("198.51.100.1")},
       "ip -4 route add 192.0.2.1/32 via 198.51.100.1 dev eth0 proto 87"},
      {RouteStep{
           .prefix = prefix("2001:db8::1/128"), .device = "eth0", .gateway = address("fe80::1")},
       "ip -6 route add 2001:db8::1/128 via fe80::1 dev eth0 proto 87"},
      {RouteStep{.prefix = prefix("::/0"), .device = "", .table = 51820, .unreachable = true},
       "ip -6 route add unreachable ::/0 table 51820 proto 87"},
      {RuleStep{.family = 4, .table = 51820, .mark = 0xca6c, .not_mark = true},
       "ip -4 rule add not fwmark 0xca6c lookup 51820 protocol 87"},
      {RuleStep{.family = 6, .suppress_prefixlength = 0},
       "ip -6 rule add lookup main suppress_prefixlength 0 protocol 87"},
      {RuleStep{.family = 4, .priority = 100, .to = prefix("172.17.0.0/16")},
       "ip -4 rule add to 172.17.0.0/16 lookup main priority 100 protocol 87"},
      {SysctlStep{"net/ipv4/conf/wg0/forwarding", "1"}, "sysctl -w net.ipv4.conf.wg0.forwarding=1"},
      {SysctlStep{"net/ipv4/conf/eth0.100/rp_filter", "2"},
       "sysctl -w net.ipv4.conf.eth0/100.rp_filter=2"},
      {SysctlStep{"net/ipv4/conf/eth0/arp_ignore", "1", true},
       "sysctl -w net.ipv4.conf.eth0.arp_ignore=1"},
      {SysctlStep{"net/ipv4/ip_local_port_range", "1024 65000"},
       "sysctl -w 'net.ipv4.ip_local_port_range=1024 65000'"},
      {TableStep{"ltun_wg0", "chain a {\n}\n", false, true},
       "nft -f - <<'END'\ntable inet ltun_wg0\ndelete table inet ltun_wg0\n"
       "table inet ltun_wg0 {\nchain a {\n}\n}\nEND"},
      {TableStep{"ltun_wg0", "chain a {\n}\n", false, false, true},
       "nft -f - <<'END'\ntable arp ltun_wg0\ndelete table arp ltun_wg0\n"
       "table arp ltun_wg0 {\nchain a {\n}\n}\nEND"},
      {TableStep{"simplevpn", "  chain a {\n  }", true},
       "nft -f - <<'END'\ntable inet simplevpn\ndelete table inet simplevpn\n"
       "table inet simplevpn {\n  chain a {\n  }\n}\nEND"},
      {ForeignRuleStep{"ip", "filter", "FORWARD", "iifname \"wg0\" accept", "simplevpn wg0 in"},
       "nft 'insert rule ip filter FORWARD iifname \"wg0\" accept comment \"simplevpn wg0 in\"'"},
      {ResolverStep{Backend::resolved, "wg0", {address("10.9.0.1")}, {"corp.example"}, true},
       "resolvectl dns wg0 10.9.0.1 && resolvectl domain wg0 corp.example '~.' && "
       "resolvectl default-route wg0 yes"},
      {ResolverStep{Backend::resolved, "wg0", {}, {"corp.example"}, true},
       "resolvectl domain wg0 corp.example"},
      {ResolverStep{
           Backend::resolvconf, "wg0", {address("10.9.0.1"), address("fd00::1")}, {}, true},
       "printf 'nameserver 10.9.0.1\\nnameserver fd00::1\\n' | resolvconf -a wg0 "
       "-m 0 -x"},
      {ResolverStep{Backend::file, "wg0", {address("10.9.0.1")}, {"a.example", "b.example"}, true},
       "printf 'nameserver 10.9.0.1\\nsearch a.example b.example\\n' > /etc/resolv.conf"},
  };
}

}  // namespace

TEST_CASE("a step reads as the command that people type", "[host][step]") {
  for (const Case& each : cases()) CHECK(step_text(each.step, "wg0") == each.text);
}

TEST_CASE("a step survives JSON, and two steps are the same only if all of them is",
          "[host][step]") {
  const auto all = cases();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string json = step_json(all[i].step);
    INFO(json);
    CHECK(json.find('\n') == std::string::npos);
    const auto back = step_from_json(json);
    REQUIRE(back.has_value());
    for (std::size_t j = 0; j < all.size(); ++j) CHECK(same_step(*back, all[j].step) == (i == j));
    CHECK(step_text(*back, "wg0") == all[i].text);
  }
}

TEST_CASE("what step_json did not write is no step", "[host][step]") {
  const char* const wrong[] = {
      "",
      "{",
      "[]",
      "7",
      "{}",
      R"({"kind":7})",
      R"({"kind":"reboot"})",
      R"({"kind":"mtu"})",
      R"({"kind":"mtu","mtu":"1400"})",
      R"({"kind":"mtu","mtu":-1})",
      R"({"kind":"mtu","mtu":4294967296})",
      R"({"kind":"mtu","mtu":1400,"more":1})",
      R"({"kind":"address","address":"10.9.0.1/33"})",
      R"({"kind":"route","prefix":"10.0.0.0/8"})",
      R"({"kind":"route","prefix":"10.0.0.0/8","table":254,"device":null})",
      R"({"kind":"rule","family":5,"table":254})",
      R"({"kind":"rule","family":260,"table":254})",
      R"({"kind":"sysctl","name":"a"})",
      R"({"kind":"resolver","backend":"hosts","interface":"wg0","servers":[],"domains":[],)"
      R"("everything":true})",
      R"({"kind":"resolver","backend":"file","interface":"wg0","servers":[1],"domains":[],)"
      R"("everything":true})",
  };
  for (const char* text : wrong) {
    INFO(text);
    CHECK_FALSE(step_from_json(text).has_value());
  }
}
