#include "router/router.h"

#include <arpa/inet.h>

#include <array>
#include <string>

#include "support/catch.hpp"

using namespace tunnel::router;

namespace {

std::uint8_t family_of(const std::string& text) {
  return text.find(':') == std::string::npos ? TUNNEL_FAMILY_IPV4 : TUNNEL_FAMILY_IPV6;
}

std::array<std::uint8_t, 16> address(const std::string& text) {
  std::array<std::uint8_t, 16> bytes{};
  const int family = family_of(text) == TUNNEL_FAMILY_IPV4 ? AF_INET : AF_INET6;
  REQUIRE(inet_pton(family, text.c_str(), bytes.data()) == 1);
  return bytes;
}

tunnel_prefix prefix(const std::string& text) {
  const auto slash = text.find('/');
  tunnel_prefix result{};
  result.family = family_of(text);
  result.length = static_cast<std::uint8_t>(std::stoi(text.substr(slash + 1)));
  const auto bytes = address(text.substr(0, slash));
  std::copy(bytes.begin(), bytes.end(), result.bytes);
  return result;
}

Owner find(const PrefixTable& table, const std::string& text) {
  return table.find(family_of(text), address(text).data());
}

}  // namespace

TEST_CASE("the longest prefix that holds an address names its owner", "[router]") {
  PrefixTable table;
  const std::array<const char*, 17> prefixes{
      "0.0.0.0/0",   "10.0.0.0/8",      "10.9.0.0/16",     "10.9.0.0/24",   "10.9.0.0/30",
      "10.9.0.1/32", "10.9.0.128/25",   "192.168.4.0/22",  "10.9.0.255/32", "::/0",
      "fd00::/8",    "fd00:1::/32",     "fd00:1:2:3::/64", "fd00:1::7/128", "fd00:1::8/125",
      "ff00::/15",   "fd00:1:2:3::/127"};
  for (Owner owner = 0; owner < prefixes.size(); ++owner) {
    REQUIRE(table.insert(prefix(prefixes[owner]), owner));
  }
  struct Row {
    const char* address;
    Owner owner;
  };
  const std::array rows{
      Row{"1.2.3.4", 0},        Row{"10.1.2.3", 1},       Row{"10.9.1.1", 2},
      Row{"10.9.0.100", 3},     Row{"10.9.0.3", 4},       Row{"10.9.0.1", 5},
      Row{"10.9.0.200", 6},     Row{"192.168.7.255", 7},  Row{"192.168.8.0", 0},
      Row{"10.9.0.255", 8},     Row{"9.255.255.255", 0},  Row{"255.255.255.255", 0},
      Row{"2001:db8::1", 9},    Row{"fd77::1", 10},       Row{"fd00:1::1", 11},
      Row{"fd00:1:2:3::9", 12}, Row{"fd00:1::7", 13},     Row{"fd00:1::9", 14},
      Row{"fd00:1::f", 14},     Row{"fd00:1::10", 11},    Row{"ff01::1", 15},
      Row{"ff02::1", 9},        Row{"fd00:1:2:3::1", 16}, Row{"fd00:1:2:3::2", 12},
  };
  for (const auto& row : rows) {
    CAPTURE(row.address);
    CHECK(find(table, row.address) == row.owner);
  }
}

TEST_CASE("an empty table knows nobody", "[router]") {
  const PrefixTable table;
  CHECK(find(table, "10.0.0.1") == kNobody);
  CHECK(find(table, "fd00::1") == kNobody);
  CHECK(table.find(TUNNEL_FAMILY_LINK, address("10.0.0.1").data()) == kNobody);
  CHECK(table.count(0) == 0);
  CHECK(table.copy(3, nullptr, 0) == 0);
}

TEST_CASE("a prefix has one owner: inserting it again moves it", "[router]") {
  PrefixTable table;
  REQUIRE(table.insert(prefix("10.9.0.0/24"), 1));
  REQUIRE(table.insert(prefix("10.9.0.77/24"), 2));
  CHECK(table.size() == 1);
  CHECK(find(table, "10.9.0.5") == 2);
  CHECK(table.count(1) == 0);
  CHECK(table.count(2) == 1);
  CHECK_FALSE(table.remove(prefix("10.9.0.0/24"), 1));
  CHECK(table.remove(prefix("10.9.0.1/24"), 2));
  CHECK_FALSE(table.remove(prefix("10.9.0.0/24"), 2));
  CHECK(find(table, "10.9.0.5") == kNobody);
}

TEST_CASE("what is no prefix is refused", "[router]") {
  PrefixTable table;
  auto bad = prefix("10.0.0.0/8");
  bad.length = 33;
  CHECK_FALSE(table.insert(bad, 1));
  CHECK_FALSE(table.remove(bad, 1));
  bad = prefix("fd00::/8");
  bad.length = 129;
  CHECK_FALSE(table.insert(bad, 1));
  for (const int family : {TUNNEL_FAMILY_NONE, TUNNEL_FAMILY_LINK, 255}) {
    bad = prefix("10.0.0.0/8");
    bad.family = static_cast<std::uint8_t>(family);
    CHECK_FALSE(table.insert(bad, 1));
  }
  CHECK_FALSE(table.insert(prefix("10.0.0.0/8"), kNobody));
  CHECK(table.size() == 0);
}

TEST_CASE("removing a short prefix uncovers the one around it", "[router]") {
  PrefixTable table;
  REQUIRE(table.insert(prefix("10.0.0.0/8"), 1));
  REQUIRE(table.insert(prefix("10.9.0.0/16"), 2));
  REQUIRE(table.insert(prefix("10.9.8.7/32"), 3));
  CHECK(table.remove(prefix("10.9.0.0/16"), 2));
  CHECK(find(table, "10.9.0.1") == 1);
  CHECK(find(table, "10.9.8.7") == 3);
  table.remove_all(1);
  CHECK(find(table, "10.9.0.1") == kNobody);
  CHECK(find(table, "10.9.8.7") == 3);
}

TEST_CASE("an owner's prefixes are copied, IPv4 before IPv6, as far as they fit", "[router]") {
  PrefixTable table;
  REQUIRE(table.insert(prefix("fd00::1:0/112"), 5));
  REQUIRE(table.insert(prefix("10.9.0.99/24"), 5));
  REQUIRE(table.insert(prefix("10.8.0.0/16"), 6));
  std::array<tunnel_prefix, 3> out{};
  REQUIRE(table.copy(5, out.data(), out.size()) == 2);
  CHECK(out[0].family == TUNNEL_FAMILY_IPV4);
  CHECK(out[0].length == 24);
  CHECK(out[0].bytes[3] == 0);
  CHECK(out[1].family == TUNNEL_FAMILY_IPV6);
  CHECK(out[1].length == 112);
  CHECK(table.copy(5, out.data(), 1) == 1);
  CHECK(table.count(5) == 2);
}
