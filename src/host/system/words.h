// words.h — any text as one word, for files that have several on a line, and characters of texts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tunnel::host {

// What a terminal may obey instead of showing it.
constexpr bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// "=" and printable characters, "%0a" for each other one; and back.
std::string to_word(std::string_view text);
std::optional<std::string> from_word(std::string_view word);

// Cuts the first word off `text`, and the blank behind it; "" = there is none.
std::string_view next_word(std::string_view& text) noexcept;

}  // namespace tunnel::host
