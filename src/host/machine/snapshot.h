// snapshot.h — the machine at one moment: links, addresses, routes, rules, kernel settings, and the
// chains of others that forwarded packets pass.
#pragma once

#include <tunnel/packet.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace tunnel::host {

inline constexpr std::uint32_t kMainTable = 254;

struct Link {
  std::string name;
  std::string kind;  // "bridge", "veth", "tun", "wireguard"; "" = hardware
  bool up = false;
  bool loopback = false;
  std::uint32_t mtu = 0;
};

struct LinkAddress {
  std::string link;
  tunnel_prefix address;  // with host bits
};

struct Route {
  tunnel_prefix prefix{};
  std::string device;  // "" = none: unreachable, blackhole
  std::optional<tunnel_address> gateway{};
  std::uint32_t table = kMainTable;
  std::uint32_t metric = 0;
  bool advertised = false;  // learnt from a router advertisement
  bool connected = false;   // the kernel's, for the network of an address
};

struct Rule {
  std::uint8_t family;
  std::uint32_t priority;
  std::uint32_t table;
  std::uint32_t mark;  // 0 = none
};

// A chain of somebody else at the hook `forward`, or DOCKER-USER that such a chain jumps to: where
// a rule of ours has its say.
struct ForwardChain {
  std::string family;  // "ip", "ip6", "inet"
  std::string table;
  std::string chain;
  bool drops = false;  // by policy, or by a rule without a condition
};

// Values below /proc/sys by their path: "net/ipv4/conf/all/rp_filter" = "1".
using Sysctls = std::map<std::string, std::string, std::less<>>;

struct Machine {
  std::vector<Link> links;
  std::vector<LinkAddress> addresses;
  std::vector<Route> routes;
  std::vector<Rule> rules;
  std::vector<ForwardChain> forward_chains;
  Sysctls sysctls;

  const Link* link(std::string_view name) const noexcept;
  // The value of a kernel setting; nothing where this kernel has none of that name.
  std::optional<std::string> sysctl(std::string_view name) const;
  // Names of the links by which the machine reaches everything, sorted; never `except`.
  std::vector<std::string> uplinks(std::string_view except) const;
  // The route of table main that a packet to `address` takes, or null.
  const Route* route_to(const tunnel_prefix& address) const noexcept;
};

// Asks the kernel. What the packet filter has is left out where it may not be asked.
base::Result<Machine> read_machine();

}  // namespace tunnel::host
