// settings_support.h — the machine of a test, as other programs see it.
#pragma once

#include <tunnel/host/text.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "host/settings/settings.h"
#include "support/catch.hpp"
#include "support/netns.h"

namespace tunnel::test {

inline std::string output(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  char part[4096];
  for (std::size_t size; (size = std::fread(part, 1, sizeof(part), pipe)) > 0;) {
    text.append(part, size);
  }
  REQUIRE(::pclose(pipe) == 0);
  return text;
}

// Everything that a plan can change, without the counters and lifetimes that change by themselves.
inline std::string machine() {
  return output(
      "ip -o link | sed 's/qdisc.*//'; ip -o addr; ip -4 route show table all;"
      "ip -6 route show table all; ip -4 rule; ip -6 rule; nft -s list ruleset;"
      "sysctl -a --pattern '^net[.]' 2>/dev/null");
}

// The tunnel's interface, and the other end of its cable: up, with a carrier, and without
// link-local addresses, which would come in their own time.
inline void make_links() {
  ::test::run_command("ip link add wgt0 type veth peer name other");
  ::test::run_command("ip link set wgt0 up addrgenmode none");
  ::test::run_command("ip link set other up addrgenmode none");
  ::test::run_command(
      "timeout 10 sh -c 'while ip link show wgt0 | grep NO-CARRIER || ip link show other"
      " | grep NO-CARRIER; do :; done'");
}

inline bool has_line(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline tunnel_prefix prefix(const char* text) {
  tunnel_prefix prefix{};
  REQUIRE(tunnel_prefix_from_text(text, std::strlen(text), &prefix) == TUNNEL_OK);
  return prefix;
}

inline tunnel_address address(const char* text) {
  tunnel_address address{};
  REQUIRE(tunnel_address_from_text(text, std::strlen(text), &address) == TUNNEL_OK);
  return address;
}

}  // namespace tunnel::test
