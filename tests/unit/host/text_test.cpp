#include <tunnel/host/text.h>

#include <string>

#include "support/catch.hpp"

TEST_CASE("addresses survive being written and read", "[host][config]") {
  for (const std::string text :
       {"192.0.2.1:51820", "192.0.2.1", "[2001:db8::1]:51820", "2001:db8::1", "[fe80::1%lo]:7",
        "fe80::1%lo", "[fe80::1%4294967294]:7"}) {
    CAPTURE(text);
    tunnel_address address{};
    REQUIRE(tunnel_address_from_text(text.data(), text.size(), &address) == TUNNEL_OK);
    char again[TUNNEL_ADDRESS_TEXT_SIZE];
    REQUIRE(tunnel_address_to_text(&address, again) == TUNNEL_OK);
    CHECK(std::string(again) == text);
  }
}

TEST_CASE("what is no address is refused", "[host][config]") {
  for (const std::string text :
       {"", ":", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:65536", "1.2.3", "[::1", "[::1]x", "[]:1",
        "example.com:1", "::1%", "::1%nosuchinterface0", "1.2.3.4%lo", "[1::2::3]:4"}) {
    CAPTURE(text);
    tunnel_address address{};
    CHECK(tunnel_address_from_text(text.data(), text.size(), &address) == TUNNEL_ERR_CONFIG);
    CHECK(address.family == TUNNEL_FAMILY_NONE);
  }
}

TEST_CASE("an unset address is written as (none)", "[host][config]") {
  const tunnel_address address{};
  char text[TUNNEL_ADDRESS_TEXT_SIZE];
  REQUIRE(tunnel_address_to_text(&address, text) == TUNNEL_OK);
  CHECK(std::string(text) == "(none)");
}

TEST_CASE("prefixes keep their host bits and default to a whole address", "[host][config]") {
  struct Row {
    std::string text, again;
  };
  const Row rows[] = {{"10.9.0.1/24", "10.9.0.1/24"},
                      {"10.9.0.1", "10.9.0.1/32"},
                      {"::/0", "::/0"},
                      {"fd00::1", "fd00::1/128"},
                      {"0.0.0.0/0", "0.0.0.0/0"}};
  for (const Row& row : rows) {
    tunnel_prefix prefix{};
    REQUIRE(tunnel_prefix_from_text(row.text.data(), row.text.size(), &prefix) == TUNNEL_OK);
    char text[TUNNEL_PREFIX_TEXT_SIZE];
    REQUIRE(tunnel_prefix_to_text(&prefix, text) == TUNNEL_OK);
    CHECK(std::string(text) == row.again);
  }
  tunnel_prefix prefix{};
  for (const std::string text : {"10.9.0.1/33", "::/129", "10.9.0.1/", "10.9/16", "/8", ""}) {
    CHECK(tunnel_prefix_from_text(text.data(), text.size(), &prefix) == TUNNEL_ERR_CONFIG);
  }
}
