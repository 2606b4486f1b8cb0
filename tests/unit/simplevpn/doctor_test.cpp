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
  facts.file_warnings = {{"others may read it", "chmod 600 'wg0.conf'"}, {"odd", ""}};
  facts.hangs = true;
  facts.may_administrate = false;
  facts.tun_error = "No such file";
  facts.port = 1;
  facts.port_taken = true;
  facts.mark = 1;
  facts.strict_reverse_path = true;
  facts.wall_s = 0;
  facts.probed = true;
  facts.peers[0].loops = true;
  facts.peers[0].ahead = true;
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
  facts.file_warnings = {{"others may read it", "chmod 600 'wg0.conf'"}};
  CHECK(found(facts, "file").fix == "chmod 600 'wg0.conf'");
  facts.file_warnings = {{"odd", ""}};
  CHECK(found(facts, "file").fix == "look at wg0.conf");
}

TEST_CASE("an address of two peers and our own key as a peer are named", "[doctor]") {
  Facts facts = client();
  facts.peers.push_back({"other", "OURS", "", "", {"10.9.0.0/24"}});
  CHECK(says(found(facts, "allowed_ips").message, "10.9.0.0/24 belongs to server and to other"));
  CHECK(found(facts, "keys").level == Level::fail);
}

TEST_CASE("what keeps a tunnel from being made is named", "[doctor]") {
  Facts facts = client();
  facts.may_administrate = false;
  CHECK(says(found(facts, "privileges").fix, "sudo"));
  facts.tun_error = "Permission denied";
  CHECK(says(found(facts, "tun").message, "Permission denied"));
  facts.port = 51820;
  facts.port_taken = true;
  CHECK(says(found(facts, "port").fix, "sport = :51820"));
  facts.peers[0].not_found = "Name or service not known";
  CHECK(says(found(facts, "endpoint").fix, "getent ahosts 192.0.2.1"));
  facts.peers[0].loops = true;
  CHECK(says(found(facts, "route").cause, "AllowedIPs cover the endpoint"));
}

TEST_CASE("a clock that is behind is named, by its year or by a handshake", "[doctor]") {
  Facts facts = running_client();
  CHECK(found(facts, "clock").check.empty());
  facts.peers[0].live = facts.peers[0].ahead = true;
  CHECK(says(found(facts, "clock").cause, "set back"));
  facts.peers[0].ahead = false;
  facts.wall_s = 1'000'000'000;
  CHECK(says(found(facts, "clock").message, "years behind"));
}

TEST_CASE("a daemon that hangs is named, and what it does not tell is not guessed", "[doctor]") {
  Facts facts = client();
  facts.hangs = true;
  CHECK(says(found(facts, "daemon").fix, "simplevpn down wg0"));
  CHECK(found(facts, "handshake").check.empty());
}

TEST_CASE("a session that carries nothing back points at the other side", "[doctor]") {
  Facts facts = running_client();
  facts.peers[0].live = true;
  facts.counts.data_out = 2;
  CHECK(found(facts, "data").check.empty());
  facts.counts.data_out = 3;
  CHECK(says(found(facts, "data").cause, "AllowedIPs there lack our Address"));
  facts.counts.delivered = 1;
  CHECK(found(facts, "data").check.empty());
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
  Facts busy = running_client();
  busy.counts.cookies_in = 1;
  CHECK(says(found(busy, "handshake").cause, "under load"));
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
  facts.counts.unknown_keys.clear();
  facts.counts.forgotten_keys = 2;
  CHECK(says(found(facts, "unknown_key").message, "knocked 2 times"));
}

TEST_CASE("a server that puts handshakes off says that it was under load", "[doctor]") {
  for (const std::int32_t verdict :
       {TUNNEL_DROP_BUSY, TUNNEL_DROP_RATE_LIMITED, TUNNEL_DROP_FLOOD, TUNNEL_DROP_EXHAUSTED}) {
    Facts facts = running_server();
    drop(facts, verdict);
    CHECK(says(found(facts, "load").message, "put off 2 times"));
  }
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
