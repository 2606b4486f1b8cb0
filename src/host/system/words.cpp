#include "host/system/words.h"

#include <algorithm>

namespace tunnel::host {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBlanks = " \t\r";

bool is_plain(char c) noexcept {
  return c > ' ' && c <= '~' && c != '%';
}

}  // namespace

std::string to_word(std::string_view text) {
  std::string word = "=";
  for (const char c : text) {
    if (is_plain(c)) {
      word += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    word += {'%', kHex[byte / 16u], kHex[byte % 16u]};
  }
  return word;
}

std::optional<std::string> from_word(std::string_view word) {
  if (word.empty() || word.front() != '=') return std::nullopt;
  std::string text;
  for (std::size_t i = 1; i < word.size(); ++i) {
    if (is_plain(word[i])) {
      text += word[i];
      continue;
    }
    if (word[i] != '%' || word.size() - i < 3) return std::nullopt;
    const std::size_t high = kHex.find(word[i + 1]);
    const std::size_t low = kHex.find(word[i + 2]);
    if (high == kHex.npos || low == kHex.npos) return std::nullopt;
    text += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return text;
}

std::string_view next_word(std::string_view& text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
}

}  // namespace tunnel::host
