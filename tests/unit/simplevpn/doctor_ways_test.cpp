// What doctor makes of the ways that packets take.
#include <tunnel/host/dns.h>

#include <algorithm>
#include <string>

#include "doctor/checks.h"
#include "support/catch.hpp"

using namespace simplevpn;
using namespace simplevpn::doctor;

namespace {

// `client --kill-switch`: everything, strict routes, names by the file.
Facts full_client() {
  Facts facts;
  facts.name = "wg0";
  facts.file = "wg0.conf";
  facts.wall_s = 1'800'000'000;
  facts.running = true;
  facts.mtu = 1420;
  facts.peers.push_back({"server", "THEIRS", "192.0.2.1:51820", "", {"0.0.0.0/0", "::/0"}});
  facts.peers[0].live = true;
  facts.peers[0].path_mtu = 1500;
  facts.in_force.known = true;
  facts.in_force.kill_switch = true;
  facts.in_force.scheme = TUNNEL_SCHEME_STRICT;
  facts.in_force.dns_backend = TUNNEL_DNS_FILE;
  facts.name_servers = {{"10.9.0.1", true, false}};
  return facts;
}

Facts server() {
  Facts facts = full_client();
  facts.peers = {{"laptop", "THEIRS", "", "", {"10.9.0.2/32"}}};
  facts.counts.datagrams_in = 1;
  facts.in_force = {};
  facts.in_force.known = true;
  facts.in_force.translates = true;
  return facts;
}

Finding found(const Facts& facts, const std::string& check) {
  const Findings findings = check_all(facts);
  const auto at = std::find_if(findings.begin(), findings.end(),
                               [&](const Finding& finding) { return finding.check == check; });
  return at == findings.end() ? Finding{} : *at;
}

bool says(const std::string& text, const std::string& word) {
  return text.find(word) != std::string::npos;
}

}  // namespace

TEST_CASE("a full tunnel in which all is well passes every check", "[doctor]") {
  const Findings findings = check_all(full_client());
  for (const Finding& finding : findings) {
    CAPTURE(finding.message);
    CHECK(finding.level == Level::pass);
    CHECK(finding.fix.empty());
  }
  CHECK(findings.size() == 6);  // file, mtu, settings, kill_switch, dns, handshake
}

TEST_CASE("each way past the tunnel is named", "[doctor]") {
  struct Case {
    const char* what;
    void (*spoil)(Facts&);
    const char* check;
    Level level;
    const char* word;
  };
  const Case cases[] = {
      {"wg-quick's routes", [](Facts& f) { f.in_force.scheme = TUNNEL_SCHEME_WG_QUICK; }, "scheme",
       Level::warn, "TunnelVision"},
      {"halves", [](Facts& f) { f.in_force.scheme = TUNNEL_SCHEME_SPLIT; }, "scheme", Level::warn,
       "TunnelVision"},
      {"no block", [](Facts& f) { f.in_force.kill_switch = false; }, "kill_switch", Level::warn,
       "when the daemon dies"},
      {"an undone rule", [](Facts& f) { f.in_force.undone = {"ip -4 rule add"}; }, "settings",
       Level::fail, "another program"},
      {"IPv6 beside",
       [](Facts& f) {
         f.peers[0].allowed = {"0.0.0.0/0"};
         f.in_force.kill_switch = false;
         f.ipv6_outside = true;
       },
       "ipv6_leak", Level::fail, "nothing of IPv6"},
      {"names outside, though set", [](Facts& f) { f.name_servers[0].inside = false; }, "dns_leak",
       Level::fail, "not the ones that are asked"},
      {"names outside",
       [](Facts& f) {
         f.name_servers[0].inside = false;
         f.in_force.dns_backend = 0;
       },
       "dns_leak", Level::warn, "its file has no DNS"},
      {"names of a stub",
       [](Facts& f) {
         f.name_servers = {{"127.0.0.53", false, true}};
         f.in_force.dns_backend = 0;
       },
       "dns_leak", Level::warn, "local resolver"},
      {"a narrow way", [](Facts& f) { f.peers[0].path_mtu = 1400; }, "mtu", Level::warn,
       "fragments"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.what);
    Facts facts = full_client();
    each.spoil(facts);
    CHECK(found(facts, each.check).level == each.level);
    CHECK(says(found(facts, each.check).cause, each.word));
    CHECK_FALSE(found(facts, each.check).fix.empty());
  }
}

TEST_CASE("what a dead daemon has left is named", "[doctor]") {
  Facts facts = full_client();
  facts.running = false;
  facts.left.settings = {"wg0"};
  CHECK(found(facts, "left_over").level == Level::fail);
  CHECK(says(found(facts, "left_over").cause, "was killed"));
  facts.left = {{"wg0"}, {}};
  CHECK(found(facts, "block").level == Level::fail);
  CHECK(says(found(facts, "block").cause, "outlives the daemon"));
  CHECK(says(found(facts, "block").fix, "client --kill-switch wg0.conf"));
}

TEST_CASE("a tunnel that wg-quick has set up gets the same warnings", "[doctor]") {
  Facts facts = full_client();
  facts.in_force = {};
  CHECK(found(facts, "scheme").check.empty());  // nothing leads into it
  CHECK(found(facts, "kill_switch").check.empty());
  facts.routed_inside = true;
  CHECK(says(found(facts, "scheme").cause, "TunnelVision"));
  CHECK(found(facts, "kill_switch").level == Level::warn);
}

TEST_CASE("what another tunnel has left is in the way of this one", "[doctor]") {
  Facts facts = full_client();
  facts.in_force.kill_switch = false;
  facts.left.blocks = {"wg1"};
  facts.left.settings = {"wg1"};
  CHECK(found(facts, "block").fix == "simplevpn unblock wg1");
  CHECK(found(facts, "left_over").fix == "simplevpn down --cleanup wg1");
  CHECK(found(facts, "kill_switch").check.empty());  // a machine has one block
}

TEST_CASE("what does not apply is not said", "[doctor]") {
  Facts facts = full_client();
  facts.peers[0].allowed = {"0.0.0.0/0"};
  facts.ipv6_outside = true;
  CHECK(found(facts, "ipv6_leak").check.empty());  // the block is in force
  facts = full_client();
  facts.peers[0].allowed = {"10.9.0.0/24"};
  facts.in_force = {};
  facts.name_servers[0].inside = false;
  for (const char* check : {"scheme", "kill_switch", "ipv6_leak", "dns", "dns_leak", "settings"}) {
    CHECK(found(facts, check).check.empty());
  }
  facts = full_client();
  facts.name_servers = {{"127.0.0.53", false, true}};
  facts.in_force.dns_backend = TUNNEL_DNS_RESOLVED;
  CHECK(found(facts, "dns").level == Level::pass);
}

TEST_CASE("halves are everything, one half is not", "[doctor]") {
  Facts facts = full_client();
  facts.peers[0].allowed = {"0.0.0.0/1", "128.0.0.0/1"};
  CHECK(facts.takes_ipv4());
  CHECK_FALSE(facts.takes_ipv6());
  facts.peers[0].allowed = {"0.0.0.0/1", "8000::/1"};
  CHECK_FALSE(facts.takes_everything());
}

TEST_CASE("the MTU that would fit is named, by the family outside", "[doctor]") {
  Facts facts = full_client();
  facts.peers[0].path_mtu = 1400;
  CHECK(says(found(facts, "mtu").fix, "ip link set dev wg0 mtu 1340"));
  facts.peers[0].endpoint = "[2001:db8::1]:51820";
  CHECK(says(found(facts, "mtu").fix, "mtu 1320"));
  facts.peers[0].path_mtu = 1500;
  CHECK(found(facts, "mtu").level == Level::pass);  // 1420 + 80
}

TEST_CASE("a chain of others that drops what a server forwards is named", "[doctor]") {
  Facts facts = server();
  CHECK(found(facts, "forwarding").level == Level::pass);
  facts.refusing_chains = {"nft 'insert rule ip filter FORWARD accept'"};
  CHECK(found(facts, "forwarding").level == Level::fail);
  CHECK(found(facts, "forwarding").fix == facts.refusing_chains[0]);
}

TEST_CASE("networks within networks of others are named with both owners", "[doctor]") {
  Facts facts = full_client();
  facts.file_peers = {{"wide", "A", "", "", {"10.9.0.0/16"}},
                      {"own", "B", "", "", {"10.9.1.0/24", "10.9.1.2/32"}},
                      {"deep", "C", "", "", {"10.9.1.7/32"}},
                      {"beside", "D", "", "", {"10.10.0.0/24", "fd09::/64"}}};
  std::string text;
  for (const Finding& finding : check_all(facts)) {
    if (finding.check != "allowed_ips") continue;
    CHECK(finding.level == Level::warn);
    text += finding.message + "\n";
  }
  CHECK(text ==
        "10.9.1.0/24 of own lies in 10.9.0.0/16 of wide\n"
        "10.9.1.7/32 of deep lies in 10.9.1.0/24 of own\n");
  facts.file_peers[3].allowed = {"10.9.5.5/16"};  // with host bits: the same network
  CHECK(found(facts, "allowed_ips").level == Level::fail);
  CHECK(says(found(facts, "allowed_ips").message, "belongs to wide and to beside"));
}

TEST_CASE("only the peer that is asked for is looked at", "[doctor]") {
  Facts facts = full_client();
  facts.peers.push_back({"other", "OTHERS", "192.0.2.2:1", "", {"10.9.0.0/24"}});
  CHECK(found(facts, "handshake").level == Level::pass);
  facts.only_peer = "OTHERS";
  CHECK(found(facts, "handshake").level == Level::warn);
  CHECK(says(found(facts, "handshake").message, "other"));
  facts.not_looked_at = 3;
  CHECK(says(found(facts, "endpoint").fix, "--peer"));
}

TEST_CASE("load is named on both sides", "[doctor]") {
  Facts facts = full_client();
  facts.peers[0].live = false;
  facts.counts.initiated = 1;
  facts.counts.cookies_in = 1;
  CHECK(says(found(facts, "handshake").cause, "under load"));
  facts = server();
  CHECK(found(facts, "load").check.empty());
  facts.counts.cookies_out = 2;
  CHECK(says(found(facts, "load").message, "put off 2 times"));
  facts.counts.under_load = true;
  CHECK(says(found(facts, "load").message, "now"));
}

TEST_CASE("an address of a family that is off is named", "[doctor]") {
  Facts facts = full_client();
  facts.ipv6_off = true;
  CHECK(found(facts, "ipv6").check.empty());
  facts.wants_ipv6 = true;
  CHECK(says(found(facts, "ipv6").fix, "disable_ipv6=0"));
}
