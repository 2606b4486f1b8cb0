#include <tunnel/host/edit.h>
#include <tunnel/host/text.h>

#include <string>

#include "config_support.h"
#include "support/catch.hpp"

using namespace tunnel::test;

namespace {

// The next address in the first network of a file, or the status as text.
std::string next(const std::string& address, const std::string& allowed_ips) {
  const Parsed parsed =
      parse("[Interface]\nAddress = " + address + "\n[Peer]\nPublicKey = " + kPeerKey +
            "\nAllowedIPs = " + allowed_ips + "\n");
  REQUIRE(parsed.status == TUNNEL_OK);
  tunnel_prefix free{};
  const std::int32_t status = tunnel_config_next_address(parsed.config.get(), 0, &free);
  if (status != TUNNEL_OK) return tunnel_status_text(status);
  char text[TUNNEL_PREFIX_TEXT_SIZE];
  REQUIRE(tunnel_prefix_to_text(&free, text) == TUNNEL_OK);
  return text;
}

}  // namespace

TEST_CASE("the next address is the lowest that nobody has", "[host][config]") {
  struct Row {
    const char *address, *allowed_ips, *expected;
  };
  const std::string full = tunnel_status_text(TUNNEL_ERR_LIMIT);
  const Row rows[] = {
      {"10.9.0.1/24", "192.168.0.0/16", "10.9.0.2/32"},
      {"10.9.0.1/24", "10.9.0.2/32, 10.9.0.3/32", "10.9.0.4/32"},
      {"10.9.0.1/24", "10.9.0.3/32, 10.9.0.2/32, 10.9.0.5/32", "10.9.0.4/32"},
      {"10.9.0.9/24", "10.9.0.1/32", "10.9.0.2/32"},
      {"10.9.0.1/24, 10.9.0.2/32", "10.9.0.3/32", "10.9.0.4/32"},
      {"10.9.0.1/24", "10.9.0.0/25", "10.9.0.128/32"},
      {"10.9.0.1/24", "10.9.0.128/25", "10.9.0.2/32"},
      {"10.9.0.1/24", "0.0.0.0/0, ::/0", "10.9.0.2/32"},
      {"10.9.0.1/24", "10.9.0.0/24", "10.9.0.2/32"},
      {"10.9.255.1/16", "10.9.0.0/17, 10.9.128.0/24", "10.9.129.0/32"},
      {"10.9.0.1/30", "fd00::2/128", "10.9.0.2/32"},
      {"10.9.0.1/30", "10.9.0.2/32", full.c_str()},
      {"10.9.0.1/24", "10.9.0.0/25, 10.9.0.128/25", full.c_str()},
      {"10.9.0.1/31", "10.1.0.0/16", full.c_str()},
      {"10.9.0.1/32", "10.1.0.0/16", full.c_str()},
      {"255.255.255.1/24", "255.255.255.128/25", "255.255.255.2/32"},
      {"fd09::1/64", "fd09::2/128, fd09::3/128", "fd09::4/128"},
      {"fd09::1/64", "fd09::/65", "fd09::8000:0:0:0/128"},
      {"fd09::1/126", "fd09::2/128", full.c_str()},
  };
  for (const Row& row : rows) {
    CAPTURE(row.address, row.allowed_ips);
    CHECK(next(row.address, row.allowed_ips) == row.expected);
  }
}

TEST_CASE("there is no next address in a network that is not there", "[host][config]") {
  const Parsed parsed = parse(with_peer(""));
  tunnel_prefix free{};
  CHECK(tunnel_config_next_address(parsed.config.get(), 0, &free) == TUNNEL_ERR_NOT_FOUND);
  CHECK(tunnel_config_next_address(nullptr, 0, &free) == TUNNEL_ERR_ARGUMENT);
}
