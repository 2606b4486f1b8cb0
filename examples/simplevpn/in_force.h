// in_force.h - what a tunnel has changed on this machine and is still so, by its journal and by
// what the kernel says. The daemon is not asked: it may be dead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <tunnel/host/settings.h>

namespace simplevpn {

struct InForce {
  bool known = false;        // there is a journal, and we may read it
  bool kill_switch = false;  // the block is in force
  bool translates = false;   // for clients, or for hosts that share the tunnel
  std::size_t settings = 0;  // that are in force beside the block
  std::uint32_t scheme = TUNNEL_SCHEME_NONE;
  std::uint32_t mark = 0;                  // that our datagrams carry past the routes
  std::uint32_t dns_backend = 0;           // TUNNEL_DNS_, AUTO = names are not our affair
  std::vector<std::string> foreign_rules;  // of ours in chains of others, as commands
  std::vector<std::string> undone;         // by other programs: commands that bring it back
};

[[nodiscard]] InForce read_in_force(const std::string& name);

// What is still in force of tunnels whose daemon is dead: names of those that block, and of those
// that have left something else. One may be in both.
struct Leftovers {
  std::vector<std::string> blocks;
  std::vector<std::string> settings;

  bool empty() const { return blocks.empty() && settings.empty(); }
};
// `running` are those whose daemon lives.
[[nodiscard]] Leftovers read_leftovers(const std::vector<std::string>& running);

// Where a rule of `foreign_rules` stands: "ip filter FORWARD".
[[nodiscard]] std::string chain_of(const std::string& rule);

// "wg-quick", "strict", "split"; "" = the tunnel does not take everything.
[[nodiscard]] std::string scheme_word(std::uint32_t scheme);
// "file"; "" = nothing is set.
[[nodiscard]] std::string dns_word(std::uint32_t backend);

}  // namespace simplevpn
