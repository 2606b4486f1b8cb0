// config.cpp — the text of a wg-quick file: never a crash, a leak or half a configuration, and
// never a key in what is shown.
#include <tunnel/host/config.h>
#include <tunnel/host/settings.h>

#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "input.h"

namespace {

using tunnel::fuzz::expect;

constexpr std::size_t kKeyCharacters = 32;  // a run of base64 characters as long as this is hidden

bool is_base64(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

bool has_long_run(std::string_view text) {
  std::size_t run = 0;
  for (const char c : text) {
    run = is_base64(c) ? run + 1 : 0;
    if (run >= kKeyCharacters) return true;
  }
  return false;
}

void check_issue(const tunnel_config_issue& issue, bool is_warning) {
  expect(issue.message[0] != '\0', "an issue says something");
  expect((issue.status == TUNNEL_OK) == is_warning, "only warnings have no status");
  expect(!has_long_run(issue.text) && !has_long_run(issue.message), "no key is shown");
  expect(std::strlen(issue.text) < sizeof(issue.text), "the text ends");
  expect(issue.line == 0 || issue.column >= 1, "columns count from 1");
  expect(issue.line == 0 || issue.span >= 1, "something is at fault");
  expect(issue.caret <= std::strlen(issue.text), "the caret stands under the text");
  char text[1024];
  expect(tunnel_config_issue_text(&issue, "f", text, sizeof(text)) > 0, "an issue can be shown");
}

void check_prefixes(std::span<const tunnel_prefix> prefixes) {
  for (const tunnel_prefix& prefix : prefixes) {
    const bool ipv4 = prefix.family == TUNNEL_FAMILY_IPV4;
    expect(ipv4 || prefix.family == TUNNEL_FAMILY_IPV6, "a prefix has a family");
    expect(prefix.length <= (ipv4 ? 32 : 128), "a prefix is not too long");
  }
}

void check_content(const tunnel_config* config) {
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  expect(tunnel_config_get_interface(config, &interface) == TUNNEL_OK, "there is an interface");
  check_prefixes({interface.addresses, interface.address_count});
  for (std::size_t i = 0; i < interface.peer_count; ++i) {
    tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
    expect(tunnel_config_get_peer(config, i, &peer) == TUNNEL_OK, "peers are counted");
    expect(peer.keepalive_s <= 65535, "a keepalive is not too long");
    expect((peer.host[0] == '\0') == (peer.port == 0), "an endpoint has host and port");
    expect(tunnel_config_peer_name(config, peer.public_key) == peer.name, "keys are unique");
    check_prefixes({peer.allowed_ips, peer.allowed_ip_count});
  }
}

void check_plan(const tunnel_config* config) {
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  tunnel_settings* settings = nullptr;
  const std::int32_t status = tunnel_settings_plan(config, "wg0", &settings, &issue);
  if (status == TUNNEL_ERR_CONFIG) check_issue(issue, false);
  expect((status == TUNNEL_OK) == (settings != nullptr), "a plan or a reason");
  tunnel_settings_destroy(settings);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  tunnel_config* config = nullptr;
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  const std::int32_t status = tunnel_config_parse(text.data(), text.size(), &config, &issue);
  expect((status == TUNNEL_OK) == (config != nullptr), "a configuration or an error");
  if (config == nullptr) {
    expect(status == TUNNEL_ERR_CONFIG, "only the text can be wrong");
    check_issue(issue, false);
    return 0;
  }
  for (std::size_t i = 0; tunnel_config_warning(config, i, &issue) == TUNNEL_OK; ++i) {
    check_issue(issue, true);
  }
  check_content(config);
  check_plan(config);
  tunnel_config_destroy(config);
  return 0;
}
