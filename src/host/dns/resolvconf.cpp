#include <algorithm>

#include "host/dns/backends.h"
#include "host/dns/resolv_conf.h"
#include "host/dns/tool.h"
#include "host/system/system.h"

namespace tunnel::host::dns::resolvconf {
namespace {

// "tun*" gives "tun".
std::string pattern_prefix(std::string_view line) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
  const std::size_t end = line.find_first_not_of(kLetters);
  const bool is_pattern = end != 0 && end != std::string_view::npos && line.substr(end) == "*";
  return is_pattern ? std::string(line.substr(0, end)) : "";
}

}  // namespace

// Debian's sorts records by the names in a file of patterns; the prefix of the first pattern puts
// ours in front, as wg-quick does it.
std::string record_name(const std::string& interface_name, const DnsPlaces& places) {
  const auto order = read_file(places.etc + "/resolvconf/interface-order", 65536, nullptr);
  if (!order) return interface_name;
  for (std::string_view text = order->text(); !text.empty();) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::string prefix = pattern_prefix(line);
    if (!prefix.empty()) return prefix + "." + interface_name;
  }
  return interface_name;
}

Answer apply(const ResolverStep& step, const std::string& record) {
  std::vector<std::string> command{"resolvconf", "-a", record, "-m", "0"};
  if (step.everything) command.emplace_back("-x");
  ResolverStep alone = step;
  alone.everything = true;
  return run_tool(command, resolv_conf_text(resolv_conf_for(alone, {})));
}

Answer undo(const std::string& record) {
  return run_tool({"resolvconf", "-d", record, "-f"});
}

}  // namespace tunnel::host::dns::resolvconf
