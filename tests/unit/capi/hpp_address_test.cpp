#include <arpa/inet.h>

#include <array>
#include <random>
#include <string>
#include <tunnel/tunnel.hpp>

#include "support/catch.hpp"

using tunnel::parse_address;
using tunnel::parse_prefix;
using tunnel::to_string;

TEST_CASE("addresses are read as people write them", "[capi][hpp]") {
  const auto ipv4 = parse_address("192.0.2.1:51820");
  REQUIRE(ipv4);
  CHECK(ipv4->family == TUNNEL_FAMILY_IPV4);
  CHECK(ipv4->port == 51820);
  CHECK(ipv4->bytes[3] == 1);
  const auto ipv6 = parse_address("[fe80::1%3]:65535");
  REQUIRE(ipv6);
  CHECK(ipv6->family == TUNNEL_FAMILY_IPV6);
  CHECK(ipv6->scope == 3);
  CHECK(ipv6->port == 65535);
  CHECK(ipv6->bytes[0] == 0xfe);
  CHECK(ipv6->bytes[15] == 1);
}

TEST_CASE("text that is no address is refused", "[capi][hpp]") {
  for (const auto* text : {"",
                           ":",
                           "192.0.2.1",
                           "192.0.2.1:",
                           "192.0.2.1:65536",
                           "192.0.2.1:-1",
                           "192.0.2.1:1 ",
                           " 192.0.2.1:1",
                           "192.0.2.256:1",
                           "192.0.2:1",
                           "192.0.2.1.5:1",
                           "192.0.2.01:1",
                           "example:1",
                           "192.0.2.1:0x1",
                           "::1:5",
                           "[::1]",
                           "[::1]5",
                           "[::1:5",
                           "[::1%]:5",
                           "[::1%eth0]:5",
                           "[192.0.2.1]:5",
                           "[::1%4294967296]:5",
                           "[]:5",
                           "]:5",
                           "192.0.2.1:99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_address(text));
  }
}

TEST_CASE("prefixes are read with and without a length", "[capi][hpp]") {
  CHECK(parse_prefix("10.9.0.2")->length == 32);
  CHECK(parse_prefix("fd00::2")->length == 128);
  CHECK(parse_prefix("0.0.0.0/0")->length == 0);
  CHECK(to_string(*parse_prefix("10.9.0.0/24")) == "10.9.0.0/24");
  CHECK(to_string(*parse_prefix("FD00:0:0::/64")) == "fd00::/64");
  for (const auto* text : {"", "/", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "::/08",
                           "10.0.0.0/8/8", "10.0.0.0:1/8", "[::]/0", "0.0.0.0/00"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_prefix(text));
  }
}

TEST_CASE("address text agrees with the system's for random addresses", "[capi][hpp]") {
  std::mt19937 random(1);
  std::size_t differences = 0;
  for (int i = 0; i < 100'000; ++i) {
    tunnel_prefix prefix{};
    prefix.family = TUNNEL_FAMILY_IPV6;
    prefix.length = 128;
    for (auto& byte : prefix.bytes) {
      byte = random() % 2 == 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(random());
    }
    prefix.bytes[0] |= 1;  // the system writes ::/96 in an old form
    std::array<char, INET6_ADDRSTRLEN> text{};
    REQUIRE(inet_ntop(AF_INET6, prefix.bytes, text.data(), text.size()));
    const auto back = parse_prefix(text.data());
    const bool same = back && std::equal(prefix.bytes, prefix.bytes + 16, back->bytes);
    differences += !same || to_string(prefix) != std::string(text.data()) + "/128";
  }
  CHECK(differences == 0);
}

TEST_CASE("random text is accepted exactly when the system accepts it", "[capi][hpp]") {
  static constexpr std::string_view kAlphabet = "::::0012f.";
  std::mt19937 random(2);
  std::size_t differences = 0, accepted = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    std::string text(1 + random() % 16, ':');
    for (auto& c : text) c = kAlphabet[random() % kAlphabet.size()];
    std::array<std::uint8_t, 16> bytes{};
    const bool ipv6 = inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
    const bool ipv4 = !ipv6 && inet_pton(AF_INET, text.c_str(), bytes.data()) == 1;
    const auto prefix = parse_prefix(text);
    accepted += ipv6 || ipv4;
    differences += prefix.has_value() != (ipv6 || ipv4);
    if (prefix && ipv6) differences += !std::equal(bytes.begin(), bytes.end(), prefix->bytes);
  }
  CHECK(differences == 0);
  CHECK(accepted > 1000);
}

TEST_CASE("what was read is written the same", "[capi][hpp]") {
  for (const auto* text :
       {"192.0.2.1:51820", "0.0.0.0:0", "[::]:0", "[::1]:1", "[fe80::1%7]:51820",
        "[2001:db8:0:1:1:1:1:1]:5", "[2001:db8::1:0:0:1]:5", "[::ffff:10.0.0.1]:5", "[1::]:5",
        "[1:2:3:4:5:6:7:8]:5", "[0:2:3:4:5:6:7:8]:5"}) {
    CAPTURE(text);
    REQUIRE(parse_address(text));
    CHECK(to_string(*parse_address(text)) == text);
  }
  CHECK(to_string(tunnel_address{}).empty());
  CHECK(to_string(tunnel_prefix{}).empty());
}
