#include <algorithm>
#include <string>

#include "doctor/checks.h"
#include "support/catch.hpp"

using namespace simplevpn::doctor;

namespace {

Facts client() {
  Facts facts;
  facts.name = "wg0";
  facts.file = "wg0.conf";
  facts.public_key = "OURS";
  facts.wall_s = 1'800'000'000;
  facts.peers.push_back({"server", "THEIRS", "192.0.2.1:51820", "", {"10.9.0.0/24"}});
  return facts;
}

Facts running_client() {
  Facts facts = client();
  facts.running = true;
  facts.counts.initiated = 3;
  return facts;
}

Facts running_server() {
  Facts facts = client();
  facts.running = true;
  facts.port = 51820;
  facts.peers = {{"laptop", "THEIRS", "", "", {"10.9.0.2/32"}}};
  facts.counts.datagrams_in = 5;
  return facts;
}

void drop(Facts& facts, std::int32_t verdict) {
  facts.counts.drops[static_cast<std::size_t>(verdict - TUNNEL_DROP_FIRST)] = 2;
}

// The finding of a check, or one that is empty.
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

TEST_CASE("a sound tunnel passes", "[doctor]") {
  Facts facts = running_client();
  facts.peers[0].live = true;
  for (const Finding& finding : check_all(facts)) CHECK(finding.level == Level::pass);
  CHECK(found(facts, "handshake").level == Level::pass);
}

TEST_CASE("every finding that is not a pass has a fix", "[doctor]") {
  Facts facts = client();
  facts.file_warnings = {"others may read it"};
  facts.may_administrate = false;
  facts.tun_error = "No such file";
  facts.port = 1;
  facts.port_taken = true;
  facts.mark = 1;
  facts.strict_reverse_path = true;
  facts.wall_s = 0;
  facts.probed = true;
  facts.peers[0].loops = true;
  facts.peers.push_back({"twin", "OURS", "host:1", "no such name", {"10.9.0.0/24"}});
  facts.peers.push_back({"empty", "X", "", "", {}});
  const Findings findings = check_all(facts);
  CHECK(findings.size() >= 11);
  for (const Finding& finding : findings) {
    CAPTURE(finding.check);
    CHECK(finding.level != Level::pass);
    CHECK_FALSE(finding.fix.empty());
  }
}

TEST_CASE("a file that is wrong or readable is named", "[doctor]") {
  Facts facts = client();
  facts.file_error = "line 3: unknown key";
  CHECK(found(facts, "file").level == Level::fail);
  facts.file_error.clear();
  facts.file_warnings = {"others may read it"};
  CHECK(found(facts, "file").fix == "chmod 600 wg0.conf");
}

TEST_CASE("an address of two peers and our own key as a peer are named", "[doctor]") {
  Facts facts = client();
  facts.peers.push_back({"other", "OURS", "", "", {"10.9.0.0/24"}});
  CHECK(says(found(facts, "allowed_ips").message, "10.9.0.0/24 belongs to server and to other"));
  CHECK(found(facts, "keys").level == Level::fail);
}

TEST_CASE("the reverse path filter matters only with a mark", "[doctor]") {
  Facts facts = client();
  facts.strict_reverse_path = true;
  CHECK(found(facts, "rp_filter").check.empty());
  facts.mark = 51820;
  CHECK(found(facts, "rp_filter").level == Level::warn);
  facts.marks_count_for_it = true;
  CHECK(found(facts, "rp_filter").check.empty());
}

TEST_CASE("a caller is told what its silence may mean, likeliest first", "[doctor]") {
  const std::string cause = found(running_client(), "handshake").cause;
  CHECK(says(cause, "silence"));
  CHECK(cause.find("blocked") < cause.find("PublicKey is not the server's"));
  CHECK(cause.find("PublicKey is not") < cause.find("does not know our public key"));
  CHECK(cause.find("our public key") < cause.find("clock"));
}

TEST_CASE("a caller is told what it was answered", "[doctor]") {
  Facts facts = running_client();
  drop(facts, TUNNEL_DROP_HANDSHAKE);
  CHECK(says(found(facts, "handshake").cause, "PresharedKey differs"));
  facts.counts.refused_by_network = 1;
  CHECK(says(found(facts, "handshake").cause, "the network refuses"));
  Facts idle = running_client();
  idle.counts.initiated = 0;
  CHECK(found(idle, "handshake").level == Level::warn);
}

TEST_CASE("who is called names what the callers did wrong", "[doctor]") {
  struct Case {
    std::int32_t verdict;
    const char* check;
    const char* word;
  };
  for (const Case& each : {Case{TUNNEL_DROP_MAC1, "mac1", "wrong server key"},
                           Case{TUNNEL_DROP_OLD_TIMESTAMP, "timestamp", "clock"},
                           Case{TUNNEL_DROP_NOT_ALLOWED, "allowed_ips", "AllowedIPs"}}) {
    Facts facts = running_server();
    drop(facts, each.verdict);
    CHECK(found(facts, each.check).level == Level::fail);
    CHECK(says(found(facts, each.check).cause, each.word));
  }
}

TEST_CASE("an unknown key is printed ready to be added", "[doctor]") {
  Facts facts = running_server();
  facts.counts.unknown_keys = {"KEY="};
  CHECK(found(facts, "unknown_key").fix == "simplevpn peer add NAME --public-key KEY=");
}

TEST_CASE("answers that complete nothing point at the preshared key", "[doctor]") {
  Facts facts = running_server();
  facts.counts.responded = 4;
  CHECK(says(found(facts, "answers").cause, "PresharedKey"));
  facts.counts.completed = 1;
  CHECK(found(facts, "answers").check.empty());
}

TEST_CASE("a server that hears nothing points at the way to it", "[doctor]") {
  Facts facts = running_server();
  facts.counts.datagrams_in = 0;
  CHECK(says(found(facts, "silence").cause, "UDP port 51820 is blocked"));
}
