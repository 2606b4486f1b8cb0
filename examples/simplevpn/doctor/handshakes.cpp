// handshakes.cpp - why a handshake does not come about, from what was counted.
//
// WireGuard is silent by design: who is not answered cannot be told why, but who does not answer
// can. So the side that calls lists what is possible, likeliest first, and the side that is called
// names the cause.
#include "checks.h"

#include <algorithm>

namespace simplevpn::doctor {
namespace {

std::string times(std::uint64_t count) {
  return count == 1 ? "once" : std::to_string(count) + " times";
}

// What was counted for all peers is then about this one.
bool calls_one(const Facts& facts) {
  return std::count_if(facts.peers.begin(), facts.peers.end(),
                       [](const PeerFacts& peer) { return !peer.endpoint.empty(); }) == 1;
}

// What there was instead of an answer that fits.
Finding why_no_handshake(const Facts& facts, const PeerFacts& peer) {
  const Counts& counts = facts.counts;
  Finding finding{Level::fail, "handshake", "no handshake with " + peer.name, "", ""};
  if (peer.refused || (counts.refused_by_network != 0 && calls_one(facts))) {
    finding.cause = "the network refuses: nothing listens at " + peer.endpoint +
                    ", or there is no way there (ICMP unreachable)";
    finding.fix = "start the server; compare its ListenPort with " + peer.endpoint;
  } else if (counts.drop(TUNNEL_DROP_HANDSHAKE) != 0) {
    finding.cause = "it answers, but the answer does not decrypt: the PresharedKey differs";
    finding.fix = "put the same PresharedKey into both files, or into none";
  } else if (counts.cookies_in != 0) {
    finding.cause =
        "it answers with a cookie: it is under load, and answers who comes back with it";
    finding.fix = "wait; simplevpn doctor on the server tells who overloads it";
  } else if (counts.initiated != 0) {
    finding.cause = "silence. Likeliest first: UDP to " + peer.endpoint +
                    " is blocked on the way; PublicKey is not the server's; the server does not "
                    "know our public key; our clock is behind the last handshake it saw; it is "
                    "under load";
    finding.fix = "simplevpn doctor on the server says which: " + facts.public_key + " is our key";
  } else {
    finding.level = Level::warn;
    finding.cause = "nobody has tried since the tunnel is up";
    finding.fix = "send something to " + (peer.allowed.empty() ? peer.name : peer.allowed.front());
  }
  return finding;
}

void check_unknown_keys(const Facts& facts, Findings& findings) {
  for (const std::string& key : facts.counts.unknown_keys) {
    findings.push_back({Level::fail, "unknown_key", "somebody with the key " + key + " knocks",
                        "no [Peer] here has this PublicKey",
                        "simplevpn peer add NAME --public-key " + key});
  }
  if (facts.counts.forgotten_keys == 0) return;
  findings.push_back({Level::warn, "unknown_key",
                      "somebody unknown knocked " + times(facts.counts.forgotten_keys) +
                          ", so long ago that the key is forgotten",
                      "no [Peer] here had this PublicKey",
                      "simplevpn events shows the key when it knocks again"});
}

}  // namespace

void check_handshakes(const Facts& facts, Findings& findings) {
  if (!facts.running && !facts.probed) return;
  for (const PeerFacts& peer : facts.peers) {
    if (!facts.is_about(peer)) continue;
    if (peer.live) {
      findings.push_back(
          {Level::pass, "handshake", "there is a session with " + peer.name, "", ""});
    } else if (!peer.endpoint.empty() && peer.not_found.empty()) {
      findings.push_back(why_no_handshake(facts, peer));
    }
  }
}

// Others say something by themselves, so that a few packets without an answer are no fault.
void check_data(const Facts& facts, Findings& findings) {
  constexpr std::uint64_t kEnough = 3;
  const Counts& counts = facts.counts;
  const bool has_session = std::any_of(facts.peers.begin(), facts.peers.end(),
                                       [&](const PeerFacts& peer) { return peer.live; });
  if (!facts.running || !has_session || counts.data_out < kEnough || counts.delivered != 0) return;
  if (counts.drop(TUNNEL_DROP_NOT_ALLOWED) != 0) return;  // named below
  findings.push_back({Level::warn, "data", "packets go out, and none has come back",
                      "AllowedIPs there lack our Address, or a firewall there drops what comes out "
                      "of the tunnel, or does not forward it",
                      "simplevpn doctor on the other side; and try: ping ADDRESS, of the other "
                      "side inside"});
}

namespace {

void check_load(const Counts& counts, Findings& findings) {
  const std::uint64_t turned_away =
      counts.cookies_out + counts.drop(TUNNEL_DROP_BUSY) + counts.drop(TUNNEL_DROP_RATE_LIMITED) +
      counts.drop(TUNNEL_DROP_FLOOD) + counts.drop(TUNNEL_DROP_EXHAUSTED);
  if (!counts.under_load && turned_away == 0) return;
  findings.push_back(
      {Level::warn, "load",
       counts.under_load ? "we are under load now"
                         : "we were under load: handshakes were put off " + times(turned_away),
       "more handshakes come than can be answered: many clients at once, or a flood",
       "simplevpn events --since 10m; limit who may send to the port in the firewall"});
}

// Some answers are lost on any way; that most of them are is no loss.
bool answers_in_vain(const Counts& counts) {
  constexpr std::uint64_t kLost = 10;
  if (counts.completed == 0) return counts.responded != 0;
  return counts.responded > 2 * counts.completed + kLost;
}

}  // namespace

// What those who call us did wrong.
void check_visitors(const Facts& facts, Findings& findings) {
  if (!facts.running) return;
  const Counts& counts = facts.counts;
  if (const auto count = counts.drop(TUNNEL_DROP_MAC1)) {
    findings.push_back(
        {Level::fail, "mac1", "handshakes for another key than ours came " + times(count),
         "a client has a wrong server key", "clients need: PublicKey = " + facts.public_key});
  }
  check_unknown_keys(facts, findings);
  if (const auto count = counts.drop(TUNNEL_DROP_OLD_TIMESTAMP)) {
    findings.push_back({Level::fail, "timestamp",
                        "handshakes older than the last one came " + times(count),
                        "the clock of a client is behind, or two machines use one key, or somebody "
                        "replays",
                        "set the client's clock; give each machine its own key"});
  }
  if (const auto count = counts.drop(TUNNEL_DROP_NOT_ALLOWED)) {
    findings.push_back({Level::fail, "allowed_ips",
                        "packets from an address that is not their peer's came " + times(count),
                        "the AllowedIPs of a peer lack the address that it uses",
                        "compare Address there with AllowedIPs here: simplevpn status"});
  }
  check_load(counts, findings);
  if (answers_in_vain(counts)) {
    findings.push_back({Level::fail, "answers",
                        counts.completed == 0 ? "we answer handshakes, and none is completed"
                                              : "most of the handshakes that we answer are never "
                                                "completed",
                        "the PresharedKey of a client differs, or our answers are lost on the way",
                        "put the same PresharedKey into both files, or into none"});
  }
  if (facts.is_server() && counts.datagrams_in == 0) {
    findings.push_back({Level::warn, "silence", "no datagram has come since the tunnel is up",
                        "UDP port " + std::to_string(facts.port) + " is blocked on the way to us",
                        "open it in the firewall and forward it in the router"});
  }
}

}  // namespace simplevpn::doctor
