// step.h — door of the room `host/step`: one change to the machine, as data.
//
// Planners make steps, the applier makes them true, the journal stores them, --dry-run prints them.
// A step says what shall be, not how it was: what is needed to undo it is found out and journalled
// just before it is applied. Values only; two equal steps are the same change.
#pragma once

#include <tunnel/packet.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tunnel::host {

// ---- the tunnel's interface; gone with it, so never journalled

struct MtuStep {
  std::uint32_t mtu = 0;
};
struct AddressStep {
  tunnel_prefix address{};  // with host bits
};
struct UpStep {};

// ---- routing; carries TUNNEL_SETTINGS_PROTOCOL

struct RouteStep {
  tunnel_prefix prefix{};
  std::string device;                       // always named, unless unreachable
  std::uint32_t table = 254;                // main
  std::optional<tunnel_address> gateway{};  // port unused
  bool unreachable = false;                 // instead of a device: packets are refused
};

// "not fwmark 0xca6c lookup 51820". The kernel inverts a rule as a whole, so that `not_mark` and
// `to` together would mean neither; such a rule is refused.
struct RuleStep {
  std::uint8_t family = TUNNEL_FAMILY_IPV4;
  std::uint32_t priority = 0;  // 0 = as the kernel chooses: above all but the first
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
  bool optional = false;  // left out where /proc/sys is read-only
};

// ---- packet filter

inline constexpr const char* kBlockTable = "ltun";  // the one table that survives
// Before the name of the tunnel that has it, in the comment of that table.
inline constexpr const char* kBlockComment = "simplevpn ";

// A table of our own, replaced as a whole in one transaction. `body` stands between the braces.
struct TableStep {
  std::string name;
  std::string body;
  bool survives = false;  // the block: undone by `down` and `unblock` alone
  bool optional = false;  // left out where there is no packet filter
  bool arp = false;       // in family arp instead of inet
};

// A rule at the head of somebody else's chain; found again by its comment.
struct ForeignRuleStep {
  std::string family;  // "ip", "ip6", "inet"
  std::string table;
  std::string chain;
  std::string rule;     // "iifname \"wg0\" accept"
  std::string comment;  // unique: names us and the tunnel
};

// ---- name resolution; which backend is chosen where the plan is made

struct ResolverStep {
  enum class Backend : std::uint8_t { resolved, network_manager, resolvconf, file };
  Backend backend = Backend::file;
  std::string interface_name;
  std::vector<tunnel_address> servers;  // port unused
  std::vector<std::string> domains;
  bool everything = false;  // all names, not only those below `domains`
};

// The position of a kind is its TUNNEL_SETTING_ number less one.
using Step = std::variant<MtuStep, AddressStep, UpStep, RouteStep, RuleStep, SysctlStep, TableStep,
                          ForeignRuleStep, ResolverStep>;

// The kill switch's table.
inline bool is_block(const Step& step) noexcept {
  const auto* table = std::get_if<TableStep>(&step);
  return table != nullptr && table->survives;
}

// What a reboot does not undo: a file.
inline bool outlives_boot(const Step& step) noexcept {
  const auto* resolver = std::get_if<ResolverStep>(&step);
  return resolver != nullptr && resolver->backend == ResolverStep::Backend::file;
}

// A step that is in force, and what was there before it.
struct TakenStep {
  Step step;
  std::string before;
};

// The step as the command that people would type, without a newline at the end:
// "ip -4 rule add not fwmark 0xca6c lookup 51820". `interface_name` is the tunnel's.
std::string step_text(const Step& step, const std::string& interface_name);

// "inet ltun": how nft names it.
std::string table_text(const TableStep& step);
// "table inet ltun { ... }"
std::string table_definition(const TableStep& step);
// What nft reads. A table is replaced whether it is there or not. In the kernel that is not quite
// one moment: the block is exchanged otherwise, see filter_changes.cpp.
std::string table_script(const TableStep& step);
std::string rule_script(const ForeignRuleStep& step);

// One line of JSON. Equal steps give equal text.
std::string step_json(const Step& step);
// Nothing when the text is not what step_json writes.
std::optional<Step> step_from_json(std::string_view text);

bool same_step(const Step& a, const Step& b);

}  // namespace tunnel::host
