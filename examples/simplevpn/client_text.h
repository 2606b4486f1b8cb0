// client_text.h - networks, keys, and the configuration of a client: what `init` and `peer` share.
#pragma once

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <tunnel/tunnel.hpp>

#include "format.h"
#include "output.h"

namespace simplevpn {

constexpr unsigned kKeepalive_s = 25;  // shorter than what NAT routers remember

[[nodiscard]] unsigned address_bits(const tunnel_prefix& prefix);
[[nodiscard]] tunnel_prefix network_of(tunnel_prefix prefix);  // host bits cleared
[[nodiscard]] bool lies_in(const tunnel_prefix& inner, const tunnel_prefix& outer);
[[nodiscard]] tunnel_prefix single(tunnel_prefix host);  // /32 or /128
[[nodiscard]] std::optional<tunnel_prefix> read_prefix(const std::string& text);
// The port of HOST:PORT or [IPv6]:PORT, 0 when it is neither.
[[nodiscard]] unsigned endpoint_port(const std::string& endpoint);
[[nodiscard]] std::optional<Failure> check_endpoint(const std::string& endpoint);
[[nodiscard]] std::string joined(const std::vector<tunnel_prefix>& prefixes);

template <class Function>
std::vector<tunnel_prefix> each(const std::vector<tunnel_prefix>& prefixes, Function function) {
  std::vector<tunnel_prefix> results;
  std::transform(prefixes.begin(), prefixes.end(), std::back_inserter(results), function);
  return results;
}

struct KeyPair {
  tunnel::Key secret;
  std::string public_text;

  static std::optional<KeyPair> generate();
};

struct ClientText {
  const tunnel::Key* secret = nullptr;  // null = the client has its own
  std::string server_key;
  std::string endpoint;
  std::vector<tunnel_prefix> addresses;
  std::vector<tunnel_prefix> allowed;
  const tunnel::Key* preshared = nullptr;
  std::string dns;
};

// To a ConfigFile or a SecretText.
template <class Sink>
void write_client(Sink& file, const ClientText& client) {
  file.line("[Interface]");
  if (client.secret != nullptr) file.secret("PrivateKey", *client.secret);
  if (client.secret == nullptr) file.line("# PrivateKey = (the one of this client)");
  file.line("Address = " + joined(client.addresses));
  if (!client.dns.empty()) file.line("DNS = " + client.dns);
  file.line("");
  file.line("[Peer]");
  file.line("# friendly_name = server");
  file.line("PublicKey = " + client.server_key);
  if (client.preshared != nullptr) file.secret("PresharedKey", *client.preshared);
  file.line("Endpoint = " + client.endpoint);
  file.line("AllowedIPs = " + joined(client.allowed));
  file.line("PersistentKeepalive = " + std::to_string(kKeepalive_s));
}

}  // namespace simplevpn
