#include "client_text.h"

#include <algorithm>
#include <cctype>

#include <tunnel/host/text.h>

namespace simplevpn {

std::optional<tunnel_prefix> read_prefix(const std::string& text) {
  tunnel_prefix prefix{};
  if (tunnel_prefix_from_text(text.data(), text.size(), &prefix) != TUNNEL_OK) return {};
  return prefix;
}

unsigned address_bits(const tunnel_prefix& prefix) {
  return prefix.family == TUNNEL_FAMILY_IPV4 ? 32 : 128;
}

// The network a prefix names: host bits cleared.
tunnel_prefix network_of(tunnel_prefix prefix) {
  for (unsigned bit = prefix.length; bit < address_bits(prefix); ++bit) {
    prefix.bytes[bit / 8] = static_cast<std::uint8_t>(prefix.bytes[bit / 8] & ~(0x80u >> bit % 8));
  }
  return prefix;
}

bool lies_in(const tunnel_prefix& inner, const tunnel_prefix& outer) {
  if (inner.family != outer.family || inner.length < outer.length) return false;
  tunnel_prefix around = inner;
  around.length = outer.length;
  const tunnel_prefix a = network_of(around);
  const tunnel_prefix b = network_of(outer);
  return std::equal(std::begin(a.bytes), std::end(a.bytes), std::begin(b.bytes));
}

tunnel_prefix single(tunnel_prefix host) {
  host.length = static_cast<std::uint8_t>(address_bits(host));
  return host;
}

unsigned endpoint_port(const std::string& endpoint) {
  const std::size_t colon = endpoint.rfind(':');
  if (colon == std::string::npos || colon == 0 || endpoint.size() - colon > 6) return 0;
  const std::string host = endpoint.substr(0, colon);
  const std::string digits = endpoint.substr(colon + 1);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) return 0;
  const auto port = static_cast<unsigned>(std::stoul(digits));
  if (port > 65535) return 0;
  tunnel_address address{};
  if (tunnel_address_from_text(endpoint.data(), endpoint.size(), &address) == TUNNEL_OK)
    return port;
  const bool is_name = std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
  });
  return is_name ? port : 0;
}

std::optional<Failure> check_endpoint(const std::string& endpoint) {
  if (endpoint_port(endpoint) != 0) return {};
  return usage_failure("--endpoint " + endpoint + " is not HOST:PORT",
                       "for example vpn.example.org:51820, 192.0.2.1:51820 or [2001:db8::1]:51820");
}

std::string joined(const std::vector<tunnel_prefix>& prefixes) {
  std::string text;
  for (const tunnel_prefix& prefix : prefixes) {
    if (!text.empty()) text += ", ";
    text += prefix_text(prefix);
  }
  return text;
}

std::optional<KeyPair> KeyPair::generate() {
  auto secret = tunnel::Key::generate_private();
  if (!secret) return {};
  const auto public_key = secret->public_key();
  if (!public_key) return {};
  return KeyPair{*std::move(secret), public_key_text(public_key->bytes.data())};
}

}  // namespace simplevpn
