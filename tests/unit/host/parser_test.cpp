#include <tunnel/host/config.h>
#include <tunnel/host/text.h>

#include <cstdint>
#include <string>
#include <vector>

#include "config_support.h"
#include "support/catch.hpp"

using namespace tunnel::test;

namespace {

std::string text_of(const tunnel_prefix& prefix) {
  char text[TUNNEL_PREFIX_TEXT_SIZE];
  REQUIRE(tunnel_prefix_to_text(&prefix, text) == TUNNEL_OK);
  return text;
}

std::string text_of(const tunnel_address& address) {
  char text[TUNNEL_ADDRESS_TEXT_SIZE];
  REQUIRE(tunnel_address_to_text(&address, text) == TUNNEL_OK);
  return text;
}

std::string key_text(const std::uint8_t* key) {
  char text[TUNNEL_KEY_TEXT_SIZE];
  REQUIRE(tunnel_key_to_text(key, text) == TUNNEL_OK);
  return text;
}

std::vector<std::string> allowed_ips(const tunnel_config_peer& peer) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < peer.allowed_ip_count; ++i) {
    texts.push_back(text_of(peer.allowed_ips[i]));
  }
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("every supported key of a file is read", "[host][config]") {
  const Parsed parsed = parse(
      "[Interface]\n"
      "PrivateKey = " +
      kPrivateKey +
      "\n"
      "ListenPort = 51820\n"
      "FwMark = 0xca6c\n"
      "Address = 10.9.0.1/24, fd00::1/64\n"
      "Address = 10.9.1.1\n"
      "MTU = 1380\n"
      "\n"
      "[Peer]\n"
      "# friendly_name = laptop of Ann\n"
      "PublicKey = " +
      kPeerKey +
      "\n"
      "PresharedKey = " +
      kOtherKey +
      "\n"
      "Endpoint = [2001:db8::7]:51821\n"
      "AllowedIPs = 10.9.0.2/32, fd00::2\n"
      "AllowedIPs = 192.168.7.0/24\n"
      "PersistentKeepalive = 25\n");
  REQUIRE(parsed.status == TUNNEL_OK);
  CHECK(tunnel_config_warning_count(parsed.config.get()) == 0);
  const auto interface = parsed.interface();
  CHECK(key_text(interface.private_key) == kPrivateKey);
  CHECK(interface.port == 51820);
  CHECK(interface.fwmark == 0xca6c);
  CHECK(interface.mtu == 1380);
  REQUIRE(interface.address_count == 3);
  CHECK(text_of(interface.addresses[0]) == "10.9.0.1/24");
  CHECK(text_of(interface.addresses[1]) == "fd00::1/64");
  CHECK(text_of(interface.addresses[2]) == "10.9.1.1/32");
  REQUIRE(interface.peer_count == 1);
  const auto peer = parsed.peer(0);
  CHECK(peer.line == 9);
  CHECK(std::string(peer.name) == "laptop of Ann");
  CHECK(key_text(peer.public_key) == kPeerKey);
  CHECK(key_text(peer.preshared_key) == kOtherKey);
  CHECK(std::string(peer.host) == "2001:db8::7");
  CHECK(text_of(peer.endpoint) == "[2001:db8::7]:51821");
  CHECK(allowed_ips(peer) == Texts{"10.9.0.2/32", "fd00::2/128", "192.168.7.0/24"});
  CHECK(peer.keepalive_s == 25);
  CHECK(std::string(tunnel_config_peer_name(parsed.config.get(), peer.public_key)) ==
        "laptop of Ann");
}

TEST_CASE("keys, sections and blanks are read as the WireGuard tools read them", "[host][config]") {
  const Parsed parsed = parse(
      "\xef\xbb\xbf  [ INTERFACE ] # ours\r\n"
      "private key=" +
      kPrivateKey.substr(0, 20) + " " + kPrivateKey.substr(20) +
      "\r\n"
      "\tlistenport\t=\tdomain # a service name\r\n"
      "fwmark = off\r\n"
      "address=10.9.0.1/24 10.9.1.1/24,\t10.9.2.1/24\r\n"
      "saveconfig = false\r\nTable = auto\r\n"
      "[peer]\r\n"
      "PUBLICKEY=" +
      kPeerKey + "#" + kOtherKey +
      "\r\n"
      "allowedips=10.0.0.0 /8\r\n"
      "persistentkeepalive = Off");
  REQUIRE(parsed.status == TUNNEL_OK);
  CHECK(key_text(parsed.interface().private_key) == kPrivateKey);
  CHECK(parsed.interface().port == 53);
  CHECK(parsed.interface().fwmark == 0);
  CHECK(parsed.interface().address_count == 3);
  CHECK(allowed_ips(parsed.peer(0)) == Texts{"10.0.0.0/8"});
  CHECK(tunnel_config_check(parsed.config.get(), nullptr) == TUNNEL_OK);
}

TEST_CASE("an empty file parses, and is refused only when it is to be run", "[host][config]") {
  const Parsed parsed = parse("");
  REQUIRE(parsed.status == TUNNEL_OK);
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  CHECK(tunnel_config_check(parsed.config.get(), &issue) == TUNNEL_ERR_CONFIG);
  CHECK(issue.line == 0);
  CHECK(std::string(issue.message) == "PrivateKey is missing in [Interface]");
}

TEST_CASE("endpoints are read in every form", "[host][config]") {
  struct Row {
    const char *text, *host, *address;
    std::uint16_t port;
  };
  const Row rows[] = {
      {"192.0.2.1:51820", "192.0.2.1", "192.0.2.1:51820", 51820},
      {"[::1]:1", "::1", "[::1]:1", 1},
      {"[fe80::1%lo]:51820", "fe80::1%lo", "[fe80::1%lo]:51820", 51820},
      {"[fe80::1%nosuchif]:51820", "fe80::1%nosuchif", "(none)", 51820},
      {"vpn.example.com:51820", "vpn.example.com", "(none)", 51820},
      {"localhost:domain", "localhost", "(none)", 53},
      {"2001:db8::1:51820", "2001:db8::1", "[2001:db8::1]:51820", 51820},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Parsed parsed = parse(with_peer("Endpoint = " + std::string(row.text) + "\n"));
    REQUIRE(parsed.status == TUNNEL_OK);
    CHECK(std::string(parsed.peer(0).host) == row.host);
    CHECK(text_of(parsed.peer(0).endpoint) == row.address);
    CHECK(parsed.peer(0).port == row.port);
  }
}

TEST_CASE("an incremental list adds and takes away within its peer", "[host][config]") {
  const Parsed parsed = parse(with_peer(
      "AllowedIPs = +10.0.0.0/8, +10.1.0.0/16, -10.0.0.0/8\nAllowedIPs = -10.2.0.0/16\n"));
  REQUIRE(parsed.status == TUNNEL_OK);
  CHECK(allowed_ips(parsed.peer(0)) == Texts{"10.1.0.0/16"});
}

TEST_CASE("host bits, moved prefixes, bare IPv6 endpoints and empty lists give warnings",
          "[host][config]") {
  const Parsed parsed =
      parse(with_peer("AllowedIPs = 10.0.0.0/8, 10.9.0.7/24\n"
                      "Endpoint = 2001:db8::1:51820\n"
                      "[Peer]\nPublicKey = " +
                      kOtherKey +
                      "\n"
                      "AllowedIPs = 10.0.0.0/8\n"
                      "AllowedIPs =\n"));
  REQUIRE(parsed.status == TUNNEL_OK);
  REQUIRE(tunnel_config_warning_count(parsed.config.get()) == 4);
  CHECK(parsed.warning(0).line == 5);
  CHECK(parsed.warning(0).column == 26);
  CHECK(std::string(parsed.warning(0).message) ==
        "the part behind the prefix length is not zero: 10.9.0.0/24 is used");
  CHECK(parsed.warning(1).line == 6);
  CHECK(parsed.warning(2).line == 9);
  CHECK(std::string(parsed.warning(2).message) == "10.0.0.0/8 moves here from the peer in line 3");
  CHECK(parsed.warning(2).former_line == 3);
  CHECK(parsed.warning(2).prefix.length == 8);
  CHECK(parsed.warning(3).line == 10);
  CHECK(parsed.warning(3).former_line == 0);
  CHECK(allowed_ips(parsed.peer(0)) == Texts{"10.9.0.0/24"});
  CHECK(allowed_ips(parsed.peer(1)) == Texts{"10.0.0.0/8"});
}

TEST_CASE("the tunnel is named after its file", "[host][config]") {
  struct Row {
    const char *path, *name;
  };
  const Row rows[] = {
      {"/etc/wireguard/wg0.conf", "wg0"},
      {"a=b+c.d-e_F.conf", "a=b+c.d-e_F"},
      {"wg0", "wg0"},
      {"exactly15chars_.conf", "exactly15chars_"},
      {"sixteen_chars_xx.conf", ""},
      {"/etc/wireguard/.conf", ""},
      {"w g.conf", ""},
      {"..", ""},
      {"/", ""},
      {"", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    char name[16];
    const bool good = row.name[0] != '\0';
    CHECK(tunnel_config_tunnel_name(row.path, name) == (good ? TUNNEL_OK : TUNNEL_ERR_ARGUMENT));
    CHECK(std::string(name) == row.name);
  }
}

TEST_CASE("ten thousand peers with 65,280 lines of allowed IPs are read", "[host][config]") {
  std::string text = with_interface("");
  std::size_t lines = 0;
  for (std::uint32_t i = 0; i < 10000; ++i) {
    std::uint8_t key[TUNNEL_KEY_SIZE] = {static_cast<std::uint8_t>(i),
                                         static_cast<std::uint8_t>(i >> 8), 1};
    text += "[Peer]\nPublicKey = " + key_text(key) + "\n";
    for (; lines < (i + 1) * 65280 / 10000; ++lines) {
      text += "AllowedIPs = 10." + std::to_string(lines >> 8) + "." + std::to_string(lines & 255) +
              ".0/24\n";
    }
  }
  const Parsed parsed = parse(text);
  REQUIRE(parsed.status == TUNNEL_OK);
  CHECK(parsed.interface().peer_count == 10000);
  CHECK(parsed.peer(9999).allowed_ip_count == 7);
}
