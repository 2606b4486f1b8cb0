// take_over_test.cpp — a running tunnel's state, written into its file.
#include <string>

#include "config_support.h"
#include "host/config/config.h"
#include "host/control/control.h"
#include "support/catch.hpp"

using namespace tunnel::test;
namespace host = tunnel::host;

namespace {

std::string hex(const std::string& key) {
  std::uint8_t bytes[TUNNEL_KEY_SIZE] = {};
  (void)tunnel_key_from_text(key.data(), key.size(), bytes);
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

// The file after a tunnel that answers `status` was saved into it.
std::string saved(const std::string& file, const std::string& status) {
  host::Config config;
  tunnel_config_issue issue{};
  REQUIRE(host::parse_config(file, config, issue) == TUNNEL_OK);
  host::Snapshot snapshot;
  REQUIRE(host::read_snapshot(status + "errno=0\n\n", snapshot));
  host::Document document(file);
  host::take_over(snapshot, config, document);
  return std::string(document.text().text());
}

const std::string kFile =
    "[Interface]\n"
    "# ours\n"
    "PrivateKey   = " +
    kPrivateKey +
    " # secret\n"
    "ListenPort=51820\n"
    "FwMark = 0xca6c\n"
    "Address = 10.9.0.1/24\n"
    "PostUp = true # hook\n"
    "SaveConfig = true\n\n"
    "[Peer]\n"
    "# friendly_name = laptop\n"
    "PublicKey = " +
    kPeerKey +
    "\n"
    "Endpoint = vpn.example:51820\n"
    "AllowedIPs = 10.9.0.3, 10.9.0.2/32\n"
    "PersistentKeepalive = 0025\n";

const std::string kInterface =
    "private_key=" + hex(kPrivateKey) + "\nlisten_port=51820\nfwmark=51820\n";
const std::string kSame = kInterface + "public_key=" + hex(kPeerKey) +
                          "\nendpoint=192.0.2.7:51820\npersistent_keepalive_interval=25\n"
                          "allowed_ip=10.9.0.2/32\nallowed_ip=10.9.0.3/32\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("saving a tunnel that is as its file says changes no byte", "[host][edit]") {
  CHECK(saved(kFile, kSame) == kFile);
}

TEST_CASE("saving a tunnel changes the lines that are no longer true", "[host][edit]") {
  const std::string status =
      replaced(replaced(replaced(replaced(kSame, "=51820\nfwmark=51820\n", "=7\n"),
                                 hex(kPrivateKey), hex(kOtherKey)),
                        "interval=25", "interval=0"),
               "allowed_ip=10.9.0.2/32\n", "allowed_ip=fd00::2/128\n");
  std::string expected = replaced(kFile, kPrivateKey, kOtherKey);
  expected = replaced(expected, "ListenPort=51820\nFwMark = 0xca6c\n", "ListenPort=7\n");
  expected = replaced(expected, "10.9.0.3, 10.9.0.2/32", "fd00::2/128, 10.9.0.3/32");
  expected = replaced(expected, "PersistentKeepalive = 0025\n", "");
  CHECK(saved(kFile, status) == expected);
}

TEST_CASE("saving writes new peers and removes those that are gone", "[host][edit]") {
  const std::string status = kInterface + "public_key=" + hex(kOtherKey) +
                             "\npreshared_key=" + hex(kPrivateKey) +
                             "\nendpoint=[2001:db8::1]:7\nallowed_ip=10.9.0.9/32\n"
                             "x_name=phone\n";
  const std::string interface = kFile.substr(0, kFile.find("\n[Peer]"));
  CHECK(saved(kFile, status) == interface + "\n[Peer]\n# friendly_name = phone\nPublicKey = " +
                                    kOtherKey + "\nPresharedKey = " + kPrivateKey +
                                    "\nEndpoint = [2001:db8::1]:7\nAllowedIPs = 10.9.0.9/32\n");
}

TEST_CASE("an endpoint that is an address follows the peer", "[host][edit]") {
  const std::string file = replaced(kFile, "vpn.example", "192.0.2.1");
  CHECK(saved(file, kSame) == replaced(kFile, "vpn.example", "192.0.2.7"));
  const std::string without = replaced(kFile, "Endpoint = vpn.example:51820\n", "");
  CHECK(saved(without, kSame) == without + "Endpoint = 192.0.2.7:51820\n");
}

TEST_CASE("ten thousand peers are saved", "[host][edit]") {
  std::string status = kInterface;
  for (unsigned i = 1; i <= 10000; ++i) {
    const std::uint8_t key[TUNNEL_KEY_SIZE] = {static_cast<std::uint8_t>(i),
                                               static_cast<std::uint8_t>(i >> 8), 1};
    char text[TUNNEL_KEY_TEXT_SIZE];
    REQUIRE(tunnel_key_to_text(key, text) == TUNNEL_OK);
    status += "public_key=" + hex(text) + "\nallowed_ip=10." + std::to_string(i >> 8) + "." +
              std::to_string(i & 255) + ".0/24\n";
  }
  const std::string once = saved(kFile, status);
  const Parsed parsed = parse(once);
  REQUIRE(parsed.status == TUNNEL_OK);
  CHECK(parsed.interface().peer_count == 10000);
  CHECK(saved(once, status) == once);
}
