#include "host/config/values.h"

#include <netdb.h>

#include <algorithm>
#include <array>

#include "base/base.h"
#include "host/config/address_text.h"
#include "host/config/line.h"
#include "host/config/suggest.h"
#include "host/system/system.h"

namespace tunnel::host {
namespace {

constexpr std::size_t kLongestHost = 253;  // RFC 1035, as text

std::optional<std::uint32_t> read_hexadecimal(std::string_view digits) {
  if (digits.empty() || digits.size() > 8) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : digits) {
    const bool decimal = c >= '0' && c <= '9';
    const char letter = static_cast<char>(c | 0x20);
    if (!decimal && (letter < 'a' || letter > 'f')) return std::nullopt;
    value = value << 4 | static_cast<std::uint32_t>(decimal ? c - '0' : letter - 'a' + 10);
  }
  return value;
}

// "100 vpn" in /etc/iproute2/rt_tables names table 100.
std::optional<std::uint32_t> read_table_name(std::string_view name) {
  constexpr std::size_t kLongest = std::size_t{1} << 20;
  const auto file = read_file("/etc/iproute2/rt_tables", kLongest, nullptr);
  if (!file || name.empty()) return std::nullopt;
  for (std::string_view rest = file->text(); !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    line = trim(line.substr(0, line.find('#')));
    const std::size_t end = line.find_first_of(" \t");
    if (end == std::string_view::npos || trim(line.substr(end)) != name) continue;
    return read_number(line.substr(0, end), UINT32_MAX);
  }
  return std::nullopt;
}

bool is_host_character(char c) noexcept {
  return static_cast<unsigned char>(c) >= 0x80 || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool is_dotted_number(std::string_view host) noexcept {
  return host.find_first_not_of("0123456789.") == std::string_view::npos;
}

struct HostAndPort {
  std::string_view host, port;
  bool brackets = false;
};

EndpointFault split(std::string_view text, HostAndPort& out) {
  constexpr const char* kExample = "write it as host:port, e.g. vpn.example.com:51820";
  constexpr const char* kExample6 = "write it as [address]:port, e.g. [2001:db8::1]:51820";
  std::size_t colon = text.rfind(':');
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return {text, "the bracket is not closed", kExample6};
    out.brackets = true;
    out.host = text.substr(1, close - 1);
    colon = close + 1;
    if (colon < text.size() && text[colon] != ':') {
      return {text.substr(colon), "a colon and the port must follow the bracket", kExample6};
    }
  } else {
    out.host = text.substr(0, colon);
  }
  if (colon >= text.size()) return {text, "the endpoint has no port", kExample};
  out.port = text.substr(colon + 1);
  if (out.host.empty()) return {text, "the endpoint has no host", kExample};
  if (out.port.empty()) return {text, "the endpoint has no port", kExample};
  return {};
}

// An address whose zone is no interface yet is left to the resolver, as a name is.
bool is_zoned_address(std::string_view host) {
  const std::size_t percent = host.find('%');
  if (percent == std::string_view::npos || percent + 1 == host.size()) return false;
  const auto address = read_ip(host.substr(0, percent));
  return address && address->family == TUNNEL_FAMILY_IPV6;
}

EndpointFault read_host(const HostAndPort& from, Endpoint& endpoint) {
  endpoint.host = std::string(from.host);
  if (const auto address = read_ip(from.host)) {
    if (from.brackets && address->family == TUNNEL_FAMILY_IPV4) {
      return {from.host, "brackets are for IPv6 addresses only"};
    }
    endpoint.address = *address;
    endpoint.needs_brackets = !from.brackets && address->family == TUNNEL_FAMILY_IPV6;
    return {};
  }
  if (is_zoned_address(from.host)) return {};
  if (from.brackets || from.host.find(':') != std::string_view::npos) {
    return {from.host, "this is not an IPv6 address"};
  }
  if (is_dotted_number(from.host)) return {from.host, "this is not an IPv4 address"};
  const auto odd = std::find_if_not(from.host.begin(), from.host.end(), is_host_character);
  if (odd != from.host.end()) {
    const auto at = static_cast<std::size_t>(odd - from.host.begin());
    return {from.host.substr(at, 1), "this character cannot be in a host name"};
  }
  if (from.host.size() > kLongestHost) return {from.host, "a host name has at most 253 characters"};
  return {};
}

}  // namespace

std::optional<std::uint16_t> read_port(std::string_view text) {
  if (const auto number = read_number(text, 65535)) return static_cast<std::uint16_t>(*number);
  constexpr std::size_t kLongestService = 64;
  const bool numeric = text.find_first_not_of("0123456789") == std::string_view::npos;
  if (numeric || text.size() > kLongestService) return std::nullopt;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  servent entry{};
  servent* found = nullptr;
  std::array<char, 4096> memory{};
  const std::string name(text);
  ::getservbyname_r(name.c_str(), "udp", &entry, memory.data(), memory.size(), &found);
  if (found == nullptr) return std::nullopt;
  const auto port = static_cast<std::uint16_t>(entry.s_port);  // in network order
  std::array<std::uint8_t, 2> bytes{};
  std::memcpy(bytes.data(), &port, bytes.size());
  return base::load_be16(bytes.data());
}

std::optional<std::uint32_t> read_mark(std::string_view text) {
  if (same_word(text, "off")) return 0;
  if (text.size() > 2 && text[0] == '0' && text[1] == 'x') {
    return read_hexadecimal(text.substr(2));
  }
  return read_number(text, UINT32_MAX);
}

std::optional<std::uint32_t> read_routing_table(std::string_view text) {
  if (text.starts_with("0x")) {
    const auto number = read_hexadecimal(text.substr(2));
    return number == 0u ? std::nullopt : number;
  }
  if (const auto number = read_number(text, UINT32_MAX)) {
    return *number == 0 ? std::nullopt : number;
  }
  if (text == "main") return 254;
  if (text == "default") return 253;
  if (text == "local") return 255;
  return read_table_name(text);
}

std::optional<std::uint32_t> read_keepalive(std::string_view text) {
  if (same_word(text, "off")) return 0;
  return read_number(text, 65535);
}

EndpointFault read_endpoint(std::string_view text, Endpoint& endpoint) {
  HostAndPort parts;
  if (const EndpointFault fault = split(text, parts); fault.message != nullptr) return fault;
  if (const EndpointFault fault = read_host(parts, endpoint); fault.message != nullptr) {
    return fault;
  }
  const auto port = read_port(parts.port);
  if (!port) {
    return {parts.port, "the port is neither a number up to 65535 nor the name of a UDP service"};
  }
  if (*port == 0) return {parts.port, "nobody can be reached at port 0"};
  endpoint.port = *port;
  if (endpoint.address.family != TUNNEL_FAMILY_NONE) endpoint.address.port = *port;
  return {};
}

}  // namespace tunnel::host
