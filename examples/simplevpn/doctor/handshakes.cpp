// handshakes.cpp - why a handshake does not come about, from what was counted.
//
// WireGuard is silent by design: who is not answered cannot be told why, but who does not answer
// can. So the side that calls lists what is possible, likeliest first, and the side that is called
// names the cause.
#include "checks.h"

namespace simplevpn::doctor {
namespace {

std::string times(std::uint64_t count) {
  return count == 1 ? "once" : std::to_string(count) + " times";
}

// What there was instead of an answer that fits.
Finding why_no_handshake(const Facts& facts, const PeerFacts& peer) {
  const Counts& counts = facts.counts;
  Finding finding{Level::fail, "handshake", "no handshake with " + peer.name, "", ""};
  if (peer.refused || counts.refused_by_network != 0) {
    finding.cause = "the network refuses: nothing listens at " + peer.endpoint +
                    ", or there is no way there (ICMP unreachable)";
    finding.fix = "start the server; compare its ListenPort with " + peer.endpoint;
  } else if (counts.drop(TUNNEL_DROP_HANDSHAKE) != 0) {
    finding.cause = "it answers, but the answer does not decrypt: the PresharedKey differs";
    finding.fix = "put the same PresharedKey into both files, or into none";
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
}

}  // namespace

void check_handshakes(const Facts& facts, Findings& findings) {
  if (!facts.running && !facts.probed) return;
  for (const PeerFacts& peer : facts.peers) {
    if (peer.live) {
      findings.push_back(
          {Level::pass, "handshake", "there is a session with " + peer.name, "", ""});
    } else if (!peer.endpoint.empty() && peer.not_found.empty()) {
      findings.push_back(why_no_handshake(facts, peer));
    }
  }
}

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
  const bool nobody_hears = counts.responded != 0 && counts.completed == 0;
  if (nobody_hears) {
    findings.push_back({Level::fail, "answers", "we answer handshakes, and none is completed",
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
