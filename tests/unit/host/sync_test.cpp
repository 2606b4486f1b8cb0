#include <string>

#include "config_support.h"
#include "host/control/sync.h"
#include "support/catch.hpp"

using namespace tunnel::test;
namespace host = tunnel::host;

namespace {

const std::string kFirst = std::string(64, '1');
const std::string kSecond = std::string(64, '2');

// A daemon without key; `rest` follows its interface.
host::Snapshot running(const std::string& rest) {
  host::Snapshot snapshot;
  REQUIRE(host::read_snapshot(rest + "errno=0\n\n", snapshot));
  return snapshot;
}

std::string peer_section(const std::string& hex, const std::string& rest) {
  std::uint8_t key[TUNNEL_KEY_SIZE];
  for (auto& byte : key) byte = static_cast<std::uint8_t>((hex[0] - '0') * 0x11);
  char text[TUNNEL_KEY_TEXT_SIZE];
  REQUIRE(tunnel_key_to_text(key, text) == TUNNEL_OK);
  return "[Peer]\nPublicKey = " + std::string(text) + "\n" + rest;
}

std::string lines(const std::string& now, const std::string& wanted) {
  const Parsed parsed = parse(wanted);
  REQUIRE(parsed.config != nullptr);
  return std::string(host::differences(running(now), parsed.config.get()).text());
}

}  // namespace

TEST_CASE("a tunnel that is as its file says gets nothing", "[host][control]") {
  CHECK(lines("listen_port=7\nfwmark=9\nx_since=1\npublic_key=" + kFirst +
                  "\nendpoint=192.0.2.1:7\npersistent_keepalive_interval=5\n"
                  "allowed_ip=fd00::/64\nallowed_ip=10.0.0.0/8\nx_name=laptop\n",
              "[Interface]\nListenPort = 7\n" +
                  peer_section(kFirst,
                               "# friendly_name = laptop\nEndpoint = 192.0.2.1:7\n"
                               "PersistentKeepalive = 5\nAllowedIPs = 10.0.0.0/8, fd00::/64\n")) ==
        "");
}

TEST_CASE("only what differs is set", "[host][control]") {
  const std::string now = "listen_port=7\nfwmark=9\nx_since=1\npublic_key=" + kFirst +
                          "\nallowed_ip=10.0.0.0/8\nx_name=old\npublic_key=" + kSecond + "\n";
  CHECK(lines(now, "[Interface]\nListenPort = 8\nFwMark = 0\n" +
                       peer_section(kFirst, "AllowedIPs = 10.0.0.0/8, 10.1.0.0/16\n")) ==
        "listen_port=8\nfwmark=0\npublic_key=" + kSecond + "\nremove=true\npublic_key=" + kFirst +
            "\nx_name=\nreplace_allowed_ips=true\nallowed_ip=10.0.0.0/8\n"
            "allowed_ip=10.1.0.0/16\n");
}

TEST_CASE("a prefix that two peers name stays with the last of them", "[host][control]") {
  CHECK(lines("x_since=1\npublic_key=" + kFirst + "\npublic_key=" + kSecond +
                  "\nallowed_ip=0.0.0.0/0\n",
              "[Interface]\n" + peer_section(kFirst, "AllowedIPs = 0.0.0.0/0\n") +
                  peer_section(kSecond, "AllowedIPs = 0.0.0.0/0\n")) == "");
  CHECK(lines("x_since=1\npublic_key=" + kFirst + "\npublic_key=" + kSecond + "\n",
              "[Interface]\n" + peer_section(kFirst, "AllowedIPs = ::/0\n") +
                  peer_section(kSecond, "AllowedIPs = ::/0, -::/0\n")) == "");
}

TEST_CASE("a new peer is set even when it says nothing", "[host][control]") {
  CHECK(lines("", "[Interface]\n" + peer_section(kFirst, "")) == "public_key=" + kFirst + "\n");
}

TEST_CASE("names reach only a daemon of ours", "[host][control]") {
  const std::string wanted =
      "[Interface]\n" +
      peer_section(kFirst, "# friendly_name = laptop\nEndpoint = vpn.example.com:7\n");
  CHECK(lines("", wanted) == "public_key=" + kFirst + "\n");
  CHECK(lines("x_since=1\n", wanted) ==
        "public_key=" + kFirst + "\nx_endpoint=vpn.example.com:7\nx_name=laptop\n");
}
