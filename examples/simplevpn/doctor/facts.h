// facts.h - what doctor knows of a tunnel and its machine: plain values, so that every check is a
// function that a test can call.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <tunnel/status.h>

#include "../in_force.h"

namespace simplevpn::doctor {

enum class Level { pass, warn, fail };

struct Finding {
  Level level = Level::pass;
  std::string check;    // "handshake": stable, for programs
  std::string message;  // what was seen
  std::string cause;    // why, as far as can be known
  std::string fix;      // a command, or what to do
};
using Findings = std::vector<Finding>;

struct FileWarning {
  std::string message;
  std::string hint;  // "" = none
};

struct PeerFacts {
  std::string name;        // as people call it
  std::string public_key;  // base64
  std::string endpoint;    // as written, or where the running tunnel sends; "" = none
  std::string not_found;   // why its host name has no address, "" = it has one
  std::vector<std::string> allowed;
  std::uint32_t line = 0;      // of its [Peer] in the file, 0 = not known
  bool refused = false;        // the machine there says that nobody listens (ICMP)
  bool loops = false;          // the way to the endpoint leads into the tunnel
  bool live = false;           // a handshake within 180 s
  bool ahead = false;          // its last handshake is in the future of our clock
  std::uint32_t path_mtu = 0;  // of the way to the endpoint, 0 = not known
};

// Who answers for names on this machine.
struct NameServer {
  std::string address;
  bool inside = false;  // it is asked through the tunnel
  bool local = false;   // a stub on this machine, which asks others
};

// What a running tunnel, or a probe, counted.
struct Counts {
  std::uint64_t datagrams_in = 0;
  std::uint64_t data_out = 0;   // datagrams with a packet in them
  std::uint64_t delivered = 0;  // packets out of the tunnel
  std::uint64_t initiated = 0;
  std::uint64_t completed = 0;
  std::uint64_t responded = 0;
  std::uint64_t cookies_in = 0;          // of those we called: they are under load
  std::uint64_t cookies_out = 0;         // we were
  bool under_load = false;               // we are
  std::uint64_t refused_by_network = 0;  // ICMP unreachable, no route
  std::array<std::uint64_t, TUNNEL_DROP_COUNT> drops{};
  std::vector<std::string> unknown_keys;
  std::uint64_t forgotten_keys = 0;  // so often somebody unknown came, and no event is left of it

  std::uint64_t drop(std::int32_t verdict) const {
    return drops[static_cast<std::size_t>(verdict - TUNNEL_DROP_FIRST)];
  }
};

struct Facts {
  // The file.
  std::string file;        // "" = a running tunnel whose file is not known
  std::string file_error;  // "" = readable and sound
  std::vector<FileWarning> file_warnings;
  std::vector<PeerFacts> file_peers;
  bool wants_names = false;  // it has DNS
  bool wants_ipv6 = false;   // it has an Address of IPv6

  // The tunnel.
  std::string name;
  std::string public_key;        // ours
  std::vector<PeerFacts> peers;  // of the tunnel that runs, or of the file
  bool running = false;
  bool hangs = false;   // it runs, but does not answer
  bool probed = false;  // the counts are of a handshake that doctor tried itself
  std::uint16_t port = 0;
  std::uint32_t mark = 0;
  std::uint32_t mtu = 0;          // 0 = not known
  std::string only_peer;          // only this one matters: name or key; "" = all
  std::size_t not_looked_at = 0;  // peers whose way was not examined
  Counts counts;

  // The machine.
  InForce in_force;  // of this tunnel
  Leftovers left;    // of tunnels that do not run, this one or others
  bool may_administrate = true;
  std::string tun_error;    // why /dev/net/tun cannot be used, "" = it can
  bool port_taken = false;  // by another program
  bool strict_reverse_path = false;
  bool marks_count_for_it = false;  // src_valid_mark
  bool ipv6_off = false;            // disable_ipv6
  bool routed_inside = false;       // packets to the Internet go into the tunnel
  bool ipv6_outside = false;        // packets to the IPv6 Internet leave beside the tunnel
  std::vector<NameServer> name_servers;
  std::vector<std::string> refusing_chains;  // drop what we forward: commands that let it pass
  std::int64_t wall_s = 0;

  // A peer that is waited for, rather than called.
  bool is_server() const;
  // 0.0.0.0/0 (::/0) or both halves of it go to peers.
  bool takes_ipv4() const;
  bool takes_ipv6() const;
  bool takes_everything() const { return takes_ipv4() || takes_ipv6(); }
  bool is_about(const PeerFacts& one) const;
  // Somebody else, such as wg-quick, has led everything into it: no journal tells how.
  bool led_by_others() const { return !in_force.known && routed_inside; }
  // Its daemon died, and nobody has cleaned up since.
  bool is_left() const;
};

}  // namespace simplevpn::doctor
