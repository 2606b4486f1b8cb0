// quick_keys_test.cpp — the keys that wg-quick adds to the file, read as wireguard-tools reads
// them.
#include <tunnel/host/config.h>
#include <tunnel/host/settings.h>
#include <tunnel/host/text.h>

#include <cstdint>
#include <string>
#include <vector>

#include "config_support.h"
#include "support/catch.hpp"

using namespace tunnel::test;

namespace {

using Texts = std::vector<std::string>;

Texts servers(const tunnel_config_interface& interface) {
  Texts texts;
  for (std::size_t i = 0; i < interface.dns_server_count; ++i) {
    char text[TUNNEL_ADDRESS_TEXT_SIZE];
    REQUIRE(tunnel_address_to_text(&interface.dns_servers[i], text) == TUNNEL_OK);
    texts.emplace_back(text);
  }
  return texts;
}

Texts domains(const tunnel_config_interface& interface) {
  return {interface.search_domains, interface.search_domains + interface.search_domain_count};
}

Texts hooks(const Parsed& parsed, std::uint32_t kind) {
  Texts texts;
  while (const char* text = tunnel_config_hook(parsed.config.get(), kind, texts.size())) {
    texts.emplace_back(text);
  }
  return texts;
}

}  // namespace

TEST_CASE("DNS tells servers from search domains as wg-quick does", "[host][config]") {
  const Parsed parsed =
      parse(with_interface("DNS = 10.9.0.1, corp.example,fd00::1\n"
                           "dns=fe80::1%lo home  ~internal # not.this\nDNS =\n"));
  REQUIRE(parsed.status == TUNNEL_OK);
  CHECK(servers(parsed.interface()) == Texts{"10.9.0.1", "fd00::1", "fe80::1%lo"});
  CHECK(domains(parsed.interface()) == Texts{"corp.example", "home", "~internal"});
}

TEST_CASE("hooks keep their order, their blanks and their number signs", "[host][config]") {
  const Parsed parsed =
      parse(with_interface("PostUp = echo one # two\n"
                           "postup=\techo  'a = b' \t\r\n"
                           "PreUp = true; # PreUp = false\n"
                           "# PostUp = commented out\n"
                           "PostUp =\n"
                           "PreDown = ip rule del pref 7 # %i\n"
                           "PostDown = a\nPostDown = b\n"));
  REQUIRE(parsed.status == TUNNEL_OK);
  CHECK(hooks(parsed, TUNNEL_HOOK_PRE_UP) == Texts{"true; # PreUp = false"});
  CHECK(hooks(parsed, TUNNEL_HOOK_POST_UP) == Texts{"echo one # two", "echo  'a = b'"});
  CHECK(hooks(parsed, TUNNEL_HOOK_PRE_DOWN) == Texts{"ip rule del pref 7 # %i"});
  CHECK(hooks(parsed, TUNNEL_HOOK_POST_DOWN) == Texts{"a", "b"});
  CHECK(tunnel_config_hook(parsed.config.get(), 0, 0) == nullptr);
  CHECK(tunnel_config_hook(parsed.config.get(), 5, 0) == nullptr);
}

TEST_CASE("Table is auto, off, a number, or the name of a table", "[host][config]") {
  struct Row {
    const char* text;
    std::uint32_t fields, table;
  };
  const Row rows[] = {
      {"auto", 0, 0},
      {"Off", TUNNEL_CONFIG_TABLE_OFF, 0},
      {"1234", TUNNEL_CONFIG_TABLE, 1234},
      {"0x10", TUNNEL_CONFIG_TABLE, 16},
      {"main", TUNNEL_CONFIG_TABLE, 254},
      {"4294967295", TUNNEL_CONFIG_TABLE, 4294967295},
      {"off\nTable = 7", TUNNEL_CONFIG_TABLE, 7},
      {"7\nTable = auto", 0, 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Parsed parsed = parse(with_interface("Table = " + std::string(row.text) + "\n"));
    REQUIRE(parsed.status == TUNNEL_OK);
    CHECK((parsed.interface().fields & (TUNNEL_CONFIG_TABLE | TUNNEL_CONFIG_TABLE_OFF)) ==
          row.fields);
    CHECK(parsed.interface().table == row.table);
  }
}

TEST_CASE("SaveConfig is true or false", "[host][config]") {
  CHECK((parse(with_interface("SaveConfig = TRUE")).interface().fields & TUNNEL_CONFIG_SAVE) != 0);
  CHECK((parse(with_interface("SaveConfig = false")).interface().fields & TUNNEL_CONFIG_SAVE) == 0);
}

TEST_CASE("of a key that stands twice the last one counts, with a warning", "[host][config]") {
  const Parsed parsed =
      parse(with_peer("Endpoint = vpn.example:1\nEndpoint = 192.0.2.1:2\n[Interface]\n"
                      "ListenPort = 7\nMTU = 1300\nListenPort = 8\nMTU = 1400\n"));
  REQUIRE(parsed.status == TUNNEL_OK);
  CHECK(parsed.interface().port == 8);
  CHECK(parsed.interface().mtu == 1400);
  CHECK(std::string(parsed.peer(0).host) == "192.0.2.1");
  REQUIRE(tunnel_config_warning_count(parsed.config.get()) == 3);
  CHECK(std::string(parsed.warning(0).message) ==
        "'Endpoint' was set already in line 5: this one counts");
  CHECK(parsed.warning(1).line == 10);
}

TEST_CASE("a file with every key of wg-quick can be run as far as the file is concerned",
          "[host][config]") {
  const Parsed parsed =
      parse(with_peer("AllowedIPs = 0.0.0.0/0, ::/0\n[Interface]\nDNS = 10.9.0.1\nTable = 5\n"
                      "PostUp = true\nSaveConfig = true\n"));
  REQUIRE(parsed.status == TUNNEL_OK);
  CHECK(tunnel_config_check(parsed.config.get(), nullptr) == TUNNEL_OK);
}
