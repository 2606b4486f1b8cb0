// filter_text.h — pieces of the packet filter's language. Text from outside becomes part of a
// ruleset only through here.
#pragma once

#include <tunnel/packet.h>

#include <string>
#include <string_view>
#include <vector>

#include "host/routing/choice.h"

namespace tunnel::host {

// A chain under construction: "chain NAME { type TYPE hook HOOK priority PRIORITY; ... }".
class ChainText {
 public:
  ChainText(std::string_view name, std::string_view hook, std::string_view policy = "accept");
  void rule(std::string_view text);
  bool empty() const noexcept { return rules_ == 0; }
  std::string text() const { return text_ + "\t}\n"; }

 private:
  std::string text_;
  std::size_t rules_ = 0;
};

// "\"eth0\"", and "{ \"eth0\", \"eth1\" }"; names that would be more than a name are left out.
std::string quoted(std::string_view link);
std::string link_set(const std::vector<std::string>& links);
bool is_plain(std::string_view link) noexcept;

// "ip" or "ip6".
std::string_view family_word(std::uint8_t family) noexcept;
// The address alone, and the network: without host bits.
std::string bare_address(const tunnel_prefix& prefix);
std::string network_text(const tunnel_prefix& prefix);
std::string bare_address(const tunnel_address& address);

}  // namespace tunnel::host
