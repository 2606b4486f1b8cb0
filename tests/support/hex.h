// hex.h — published vectors are written in hexadecimal; spaces and line breaks are ignored.
#pragma once

#include <cassert>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tunnel::test {

inline std::vector<std::uint8_t> from_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  int half = -1;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    const auto digit = std::string_view("0123456789abcdef").find(c);
    assert(digit != std::string_view::npos);
    const int value = static_cast<int>(digit);
    if (half >= 0) bytes.push_back(static_cast<std::uint8_t>(half * 16 + value));
    half = half >= 0 ? -1 : value;
  }
  assert(half < 0);
  return bytes;
}

inline std::string to_hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const auto byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

// 32 bytes as a fixed-size span, for keys and points.
template <std::size_t N>
std::span<const std::uint8_t, N> exactly(const std::vector<std::uint8_t>& bytes) {
  assert(bytes.size() == N);
  return std::span<const std::uint8_t, N>(bytes);
}

}  // namespace tunnel::test
