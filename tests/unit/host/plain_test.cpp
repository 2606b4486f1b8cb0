#include <tunnel/host/config.h>

#include <string>

#include "support/catch.hpp"

namespace {

struct Parsed {
  explicit Parsed(const std::string& text)
      : status(tunnel_config_parse_plain(text.data(), text.size(), &config, &issue)) {}
  Parsed(const Parsed&) = delete;
  Parsed& operator=(const Parsed&) = delete;
  ~Parsed() { tunnel_config_destroy(config); }

  tunnel_config* config = nullptr;
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  std::int32_t status;
};

const std::string kKey = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
const std::string kPeer =
    "[Peer]\nPublicKey = " + kKey + "\nAllowedIPs = 10.8.0.2/32\nEndpoint = 192.0.2.2:54345\n";

}  // namespace

TEST_CASE("a plain configuration needs no keys and fills a plain core", "[host][config][plain]") {
  const Parsed parsed("[Interface]\nListenPort = 54345\nAddress = 10.8.0.1/16\n" + kPeer);
  REQUIRE(parsed.status == TUNNEL_OK);
  CHECK(tunnel_config_check(parsed.config, nullptr) == TUNNEL_OK);
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  REQUIRE(tunnel_config_get_interface(parsed.config, &interface) == TUNNEL_OK);
  CHECK((interface.fields & TUNNEL_CONFIG_PLAIN) != 0);

  tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  config.profile = TUNNEL_PROFILE_PLAIN;
  tunnel_core* core = nullptr;
  REQUIRE(tunnel_core_create(&config, &core) == TUNNEL_OK);
  CHECK(tunnel_config_apply(parsed.config, core) == TUNNEL_OK);
  std::uint64_t cursor = 0;
  std::uint64_t peer = 0;
  REQUIRE(tunnel_core_next_peer(core, &cursor, &peer) == TUNNEL_OK);
  tunnel_peer_info info = TUNNEL_PEER_INFO_INIT;
  REQUIRE(tunnel_core_get_peer(core, peer, &info) == TUNNEL_OK);
  CHECK(info.endpoint.port == 54345);
  CHECK(info.prefix_count == 1);
  tunnel_core_destroy(core);
}

TEST_CASE("keys in a plain configuration are refused, and not shown", "[host][config][plain]") {
  const std::string secret = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
  for (const auto& text : {"[Interface]\nPrivateKey = " + secret + "\n" + kPeer,
                           "[Interface]\n" + kPeer + "PresharedKey = " + secret + "\n"}) {
    const Parsed parsed(text);
    CHECK(parsed.status == TUNNEL_ERR_CONFIG);
    CHECK(parsed.config == nullptr);
    CHECK(std::string(parsed.issue.message).find("there are keys") != std::string::npos);
    CHECK(std::string(parsed.issue.text).find(secret) == std::string::npos);
  }
}

TEST_CASE("the usual reader still misses the private key", "[host][config][plain]") {
  tunnel_config* config = nullptr;
  const std::string text = "[Interface]\n" + kPeer;
  REQUIRE(tunnel_config_parse(text.data(), text.size(), &config, nullptr) == TUNNEL_OK);
  CHECK(tunnel_config_check(config, nullptr) == TUNNEL_ERR_CONFIG);
  tunnel_config_destroy(config);
}
