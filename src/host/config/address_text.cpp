#include "host/config/address_text.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <array>

#include "host/system/system.h"

namespace tunnel::host {
namespace {

std::uint32_t read_zone(std::string_view zone) {
  if (const auto number = read_number(zone, UINT32_MAX)) return *number;
  if (zone.empty() || zone.size() >= IF_NAMESIZE) return 0;
  return ::if_nametoindex(std::string(zone).c_str());
}

std::string ip_text(std::uint8_t family, const std::uint8_t* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int af = family == TUNNEL_FAMILY_IPV6 ? AF_INET6 : AF_INET;
  return ::inet_ntop(af, bytes, text.data(), text.size()) == nullptr ? "" : text.data();
}

std::string zone_text(std::uint32_t scope) {
  std::array<char, IF_NAMESIZE> name{};
  if (::if_indextoname(scope, name.data()) != nullptr) return name.data();
  return std::to_string(scope);
}

}  // namespace

std::optional<std::uint32_t> read_number(std::string_view text, std::uint32_t max) {
  if (text.empty() || text.size() > 10) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value > max) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

std::optional<tunnel_address> read_ip(std::string_view text) {
  tunnel_address address{};
  const std::size_t percent = text.find('%');
  const std::string ip(text.substr(0, percent));
  if (ip.size() >= INET6_ADDRSTRLEN || ip.find('\0') != std::string::npos) return std::nullopt;
  if (::inet_pton(AF_INET6, ip.c_str(), address.bytes) == 1) {
    address.family = TUNNEL_FAMILY_IPV6;
    if (percent == std::string_view::npos) return address;
    address.scope = read_zone(text.substr(percent + 1));
    if (address.scope == 0) return std::nullopt;
    return address;
  }
  if (percent != std::string_view::npos) return std::nullopt;
  if (::inet_pton(AF_INET, ip.c_str(), address.bytes) != 1) return std::nullopt;
  address.family = TUNNEL_FAMILY_IPV4;
  return address;
}

std::optional<tunnel_address> read_address(std::string_view text) {
  std::string_view ip = text;
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    ip = text.substr(1, close - 1);
    port = text.substr(close + 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    ip = text.substr(0, text.find(':'));
    port = text.substr(ip.size());
  }
  auto address = read_ip(ip);
  if (!address || port.empty()) return address;
  const auto number = read_number(port.substr(1), 65535);
  if (port.front() != ':' || !number) return std::nullopt;
  address->port = static_cast<std::uint16_t>(*number);
  return address;
}

std::optional<tunnel_prefix> read_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view ip = text.substr(0, slash);
  if (ip.find('%') != std::string_view::npos) return std::nullopt;
  const auto address = read_ip(ip);
  if (!address) return std::nullopt;
  const std::uint32_t whole = address->family == TUNNEL_FAMILY_IPV4 ? 32 : 128;
  std::optional<std::uint32_t> length = whole;
  if (slash != std::string_view::npos) length = read_number(text.substr(slash + 1), whole);
  if (!length) return std::nullopt;
  tunnel_prefix prefix{};
  prefix.family = address->family;
  prefix.length = static_cast<std::uint8_t>(*length);
  std::copy_n(address->bytes, sizeof(prefix.bytes), prefix.bytes);
  return prefix;
}

std::string address_text(const tunnel_address& address) {
  if (address.family != TUNNEL_FAMILY_IPV4 && address.family != TUNNEL_FAMILY_IPV6) return "(none)";
  std::string text = ip_text(address.family, address.bytes);
  if (address.family == TUNNEL_FAMILY_IPV6 && address.scope != 0) {
    text.append("%").append(zone_text(address.scope));
  }
  if (address.port == 0) return text;
  if (address.family == TUNNEL_FAMILY_IPV6) text.insert(0, 1, '[').append("]");
  return text.append(":").append(std::to_string(address.port));
}

std::string prefix_text(const tunnel_prefix& prefix) {
  return ip_text(prefix.family, prefix.bytes) + "/" + std::to_string(prefix.length);
}

std::set<std::string> network_texts(std::span<const tunnel_prefix> prefixes) {
  std::set<std::string> texts;
  for (const tunnel_prefix& prefix : prefixes) texts.insert(prefix_text(network_of(prefix)));
  return texts;
}

}  // namespace tunnel::host
