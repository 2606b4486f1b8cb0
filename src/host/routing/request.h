// request.h — what a user asked for, and what of his file matters for it.
#pragma once

#include <tunnel/host/config.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tunnel::host {

enum class Scheme : std::uint8_t {
  wg_quick,  // `up`: a rule below which table main keeps everything that is more specific
  strict,    // `client`: our table above table main, so that no route of others wins
  split,     // 0/1 and 128/1 in table main, and a route to each endpoint
};

// Table = of the file. Only wg_quick looks at it; the other schemes have a table of their own.
enum class Table : std::uint8_t { automatic, off, number };

// What a tunnel keeps as long as it runs, whatever else comes and goes; 0 = to be chosen.
struct Numbers {
  std::uint32_t table = 0;
  std::uint32_t priority4 = 0;  // of the last rule that it has in this family
  std::uint32_t priority6 = 0;
  std::vector<std::string> uplinks{};  // every link that was one
};

struct Request {
  std::string name;  // of the interface
  std::uint32_t mtu = 0;
  std::uint32_t mark = 0;  // FwMark = of the file, 0 = choose one when one is needed
  std::uint16_t port = 0;  // that we listen on, 0 = any
  Table table = Table::automatic;
  std::uint32_t table_number = 0;
  std::vector<tunnel_prefix> addresses;    // with host bits
  std::vector<tunnel_prefix> allowed_ips;  // of all peers
  std::vector<tunnel_address> endpoints;   // those that are known
  std::vector<tunnel_address> resolvers;   // that we ask outside the tunnel; port unused

  Scheme scheme = Scheme::wg_quick;
  bool lan = false;  // private networks of the uplinks stay reachable
  bool kill_switch = false;

  bool server = false;
  std::string nat;  // `server`: interface to the Internet, "" = the uplink
  bool client_to_client = false;
  std::string share;          // `client`: interface whose hosts we take along, "" = none
  bool foreign_rules = true;  // we may put rules into chains of others

  Numbers numbers{};
};

// What a file says, and nothing else.
Request request_of(const tunnel_config* config, const std::string& name);

}  // namespace tunnel::host
