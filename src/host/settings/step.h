// step.h — one change to the machine, as data: shown by --dry-run, journalled, applied, undone.
//
// A step says what shall be, not how it was: what is needed to undo it is found out and journalled
// just before it is applied (journal.h). Values only; two equal steps are the same change.
#pragma once

#include <tunnel/packet.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace tunnel::host {

// ---- the tunnel's interface; gone with it, so never journalled

struct MtuStep {
  std::uint32_t mtu;
};
struct AddressStep {
  tunnel_prefix address;  // with host bits
};
struct UpStep {};

// ---- routing; carries TUNNEL_SETTINGS_PROTOCOL

struct RouteStep {
  tunnel_prefix prefix{};
  std::string device;                       // always named
  std::uint32_t table = 254;                // main
  std::optional<tunnel_address> gateway{};  // port unused
  bool unreachable = false;                 // instead of a device: packets are refused
};

// "not fwmark 0xca6c lookup 51820"; the family is in `family`, and in `to` when that is given.
struct RuleStep {
  std::uint8_t family;
  std::uint32_t priority = 0;  // 0 = the kernel chooses
  std::uint32_t table = 254;
  std::optional<tunnel_prefix> to{};
  std::optional<std::uint32_t> mark{};
  bool not_mark = false;  // all but `mark`
  std::optional<std::uint32_t> suppress_prefixlength{};
};

// ---- kernel settings

struct SysctlStep {
  std::string name;  // path below /proc/sys: "net/ipv4/conf/wg0/forwarding"
  std::string value;
};

// ---- packet filter

// A table of our own, replaced as a whole in one transaction. `body` stands between the braces.
struct TableStep {
  std::string name;  // in family inet
  std::string body;
  bool survives = false;  // the block: undone by `down` and `unblock` alone
};

// A rule at the head of somebody else's chain; found again by its comment.
struct ForeignRuleStep {
  std::string family;  // "ip", "ip6", "inet"
  std::string table;
  std::string chain;
  std::string rule;     // "iifname \"wg0\" accept"
  std::string comment;  // unique: names us and the tunnel
};

// ---- name resolution; which of them is chosen where the plan is made

struct ResolverStep {
  enum class Backend : std::uint8_t { resolved, network_manager, resolvconf, file };
  Backend backend;
  std::string interface_name;
  std::vector<tunnel_address> servers;  // port unused
  std::vector<std::string> domains;
  bool everything = false;  // all names, not only those below `domains`
};

using Step = std::variant<MtuStep, AddressStep, UpStep, RouteStep, RuleStep, SysctlStep, TableStep,
                          ForeignRuleStep, ResolverStep>;
}  // namespace tunnel::host
