// tunnel/cpp/address.hpp - addresses and prefixes as text, for C++. Header-only, no system headers.
//
// Text is what people write: "192.0.2.1:51820", "[2001:db8::1]:51820", "[fe80::1%3]:51820" (the
// scope is an interface number), "10.9.0.0/24", "fd00::/64", and a prefix without length for one
// host. Names are not resolved here.
#ifndef TUNNEL_CPP_ADDRESS_HPP
#define TUNNEL_CPP_ADDRESS_HPP

#include <tunnel/packet.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace tunnel {

namespace detail {

inline bool take(std::string_view& text, char wanted) noexcept {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

// Takes a decimal number without leading zeros from the front.
inline bool take_number(std::string_view& text, std::uint32_t max, std::uint32_t& out) noexcept {
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  const bool zero = text.front() == '0';
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  const auto used = static_cast<std::size_t>(end - text.data());
  if (error != std::errc{} || out > max || (zero && used > 1)) return false;
  text.remove_prefix(used);
  return true;
}

// One group of an IPv6 address: one to four hexadecimal digits.
inline bool take_group(std::string_view& text, std::uint8_t* out) noexcept {
  std::uint16_t group = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), group, 16);
  const auto used = static_cast<std::size_t>(end - text.data());
  if (error != std::errc{} || used > 4) return false;
  out[0] = static_cast<std::uint8_t>(group >> 8);
  out[1] = static_cast<std::uint8_t>(group);
  text.remove_prefix(used);
  return true;
}

inline bool read_ipv4(std::string_view text, std::uint8_t* out) noexcept {
  for (int i = 0; i < 4; ++i) {
    std::uint32_t part = 0;
    if ((i > 0 && !take(text, '.')) || !take_number(text, 255, part)) return false;
    out[i] = static_cast<std::uint8_t>(part);
  }
  return text.empty();
}

// One more piece of an IPv6 address at `size`: a group, or four bytes in IPv4 form at the end.
inline bool take_piece(std::string_view& text, std::uint8_t* out, std::size_t& size) noexcept {
  const bool last = text.find(':') == std::string_view::npos;
  if (last && text.find('.') != std::string_view::npos) {
    if (size > 12 || !read_ipv4(text, out + size)) return false;
    text = {};
    size += 4;
    return true;
  }
  if (size > 14 || !take_group(text, out + size)) return false;
  size += 2;
  return true;
}

inline bool read_ipv6(std::string_view text, std::uint8_t* out) noexcept {
  constexpr std::size_t kNoGap = 17;
  std::size_t size = 0, gap = kNoGap;
  if (text.substr(0, 2) == "::") {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    if (!take_piece(text, out, size)) return false;
    if (text.empty()) break;
    if (!take(text, ':') || text.empty()) return false;
    if (text.front() != ':') continue;
    if (gap != kNoGap) return false;
    gap = size;
    text.remove_prefix(1);
  }
  if (gap == kNoGap) return size == 16;
  if (size > 14) return false;
  std::memmove(out + 16 - (size - gap), out + gap, size - gap);
  std::memset(out + gap, 0, 16 - size);
  return true;
}

// Reads an address without port; the family, or NONE.
inline std::uint8_t read_ip(std::string_view text, std::uint8_t* out) noexcept {
  if (read_ipv4(text, out)) return TUNNEL_FAMILY_IPV4;
  if (read_ipv6(text, out)) return TUNNEL_FAMILY_IPV6;
  return TUNNEL_FAMILY_NONE;
}

inline void add_number(std::string& to, std::uint32_t number, int base = 10) {
  char digits[10];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
  to.append(digits, end);
}

inline void add_ipv4(std::string& to, const std::uint8_t* bytes) {
  for (int i = 0; i < 4; ++i) {
    if (i > 0) to += '.';
    add_number(to, bytes[i]);
  }
}

// The longest run of two or more zero groups from the left, as RFC 5952 4.2 wants it.
inline void find_gap(const std::uint8_t* bytes, int& begin, int& end) noexcept {
  begin = end = 8;
  for (int i = 0; i < 8; ++i) {
    int j = i;
    while (j < 8 && bytes[2 * j] == 0 && bytes[2 * j + 1] == 0) ++j;
    if (j - i > std::max(end - begin, 1)) begin = i, end = j;
    i = std::max(i, j);
  }
}

inline void add_ipv6(std::string& to, const std::uint8_t* bytes) {
  static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::memcmp(bytes, kMapped, sizeof kMapped) == 0) {
    to += "::ffff:";
    return add_ipv4(to, bytes + 12);
  }
  int begin, end;
  find_gap(bytes, begin, end);
  for (int i = 0; i < 8; ++i) {
    if (i == begin) to += "::";
    if (i >= begin && i < end) continue;
    if (i > 0 && i != end) to += ':';
    add_number(to, static_cast<std::uint32_t>(bytes[2 * i] << 8 | bytes[2 * i + 1]), 16);
  }
}

}  // namespace detail

// "192.0.2.1:51820", "[2001:db8::1]:51820", "[fe80::1%3]:51820"; nothing for anything else.
inline std::optional<tunnel_address> parse_address(std::string_view text) noexcept {
  tunnel_address address{};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon), port = text.substr(colon + 1);
  std::uint32_t number = 0;
  if (!detail::take_number(port, 65535, number) || !port.empty()) return std::nullopt;
  address.port = static_cast<std::uint16_t>(number);
  if (!detail::take(host, '[')) {
    if (!detail::read_ipv4(host, address.bytes)) return std::nullopt;
    address.family = TUNNEL_FAMILY_IPV4;
    return address;
  }
  if (host.empty() || host.back() != ']') return std::nullopt;
  host.remove_suffix(1);
  const std::size_t percent = host.find('%');
  if (percent != std::string_view::npos) {
    std::string_view scope = host.substr(percent + 1);
    if (!detail::take_number(scope, UINT32_MAX, address.scope) || !scope.empty()) {
      return std::nullopt;
    }
  }
  if (!detail::read_ipv6(host.substr(0, percent), address.bytes)) return std::nullopt;
  address.family = TUNNEL_FAMILY_IPV6;
  return address;
}

// "10.9.0.0/24", "fd00::/64"; without length one host. Host bits stay as written.
inline std::optional<tunnel_prefix> parse_prefix(std::string_view text) noexcept {
  tunnel_prefix prefix{};
  const std::size_t slash = text.find('/');
  prefix.family = detail::read_ip(text.substr(0, slash), prefix.bytes);
  if (prefix.family == TUNNEL_FAMILY_NONE) return std::nullopt;
  std::uint32_t length = prefix.family == TUNNEL_FAMILY_IPV4 ? 32 : 128;
  if (slash != std::string_view::npos) {
    std::string_view digits = text.substr(slash + 1);
    if (!detail::take_number(digits, length, length) || !digits.empty()) return std::nullopt;
  }
  prefix.length = static_cast<std::uint8_t>(length);
  return prefix;
}

// The forms that parse_address reads; "" for a family without text.
inline std::string to_string(const tunnel_address& address) {
  std::string text;
  if (address.family == TUNNEL_FAMILY_IPV4) {
    detail::add_ipv4(text, address.bytes);
  } else if (address.family == TUNNEL_FAMILY_IPV6) {
    text += '[';
    detail::add_ipv6(text, address.bytes);
    if (address.scope != 0) text += '%';
    if (address.scope != 0) detail::add_number(text, address.scope);
    text += ']';
  } else {
    return text;
  }
  text += ':';
  detail::add_number(text, address.port);
  return text;
}

inline std::string to_string(const tunnel_prefix& prefix) {
  std::string text;
  if (prefix.family == TUNNEL_FAMILY_IPV4) {
    detail::add_ipv4(text, prefix.bytes);
  } else if (prefix.family == TUNNEL_FAMILY_IPV6) {
    detail::add_ipv6(text, prefix.bytes);
  } else {
    return text;
  }
  text += '/';
  detail::add_number(text, prefix.length);
  return text;
}

}  // namespace tunnel

#endif
