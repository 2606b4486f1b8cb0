// facts.h - what doctor knows of a tunnel and its machine: plain values, so that every check is a
// function that a test can call.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <tunnel/status.h>

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

struct PeerFacts {
  std::string name;        // as people call it
  std::string public_key;  // base64
  std::string endpoint;    // as written, or where the running tunnel sends; "" = none
  std::string not_found;   // why its host name has no address, "" = it has one
  std::vector<std::string> allowed;
  bool refused = false;  // the machine there says that nobody listens (ICMP)
  bool loops = false;    // the way to the endpoint leads into the tunnel
  bool live = false;     // a handshake within 180 s
};

// What a running tunnel, or a probe, counted.
struct Counts {
  std::uint64_t datagrams_in = 0;
  std::uint64_t initiated = 0;
  std::uint64_t completed = 0;
  std::uint64_t responded = 0;
  std::uint64_t refused_by_network = 0;  // ICMP unreachable, no route
  std::array<std::uint64_t, TUNNEL_DROP_COUNT> drops{};
  std::vector<std::string> unknown_keys;

  std::uint64_t drop(std::int32_t verdict) const {
    return drops[static_cast<std::size_t>(verdict - TUNNEL_DROP_FIRST)];
  }
};

struct Facts {
  std::string file;        // "" = a running tunnel whose file is not known
  std::string file_error;  // "" = readable and sound
  std::vector<std::string> file_warnings;
  std::string name;
  std::string public_key;  // ours
  std::vector<PeerFacts> peers;
  bool running = false;
  bool probed = false;  // the counts are of a handshake that doctor tried itself
  bool may_administrate = true;
  std::string tun_error;  // why /dev/net/tun cannot be used, "" = it can
  std::uint16_t port = 0;
  bool port_taken = false;  // by another program
  std::uint32_t mark = 0;
  bool strict_reverse_path = false;
  bool marks_count_for_it = false;  // src_valid_mark
  std::int64_t wall_s = 0;
  Counts counts;

  // A peer that is waited for, rather than called.
  bool is_server() const;
};

}  // namespace simplevpn::doctor
