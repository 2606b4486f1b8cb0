// uapi_number.h — numbers as the control protocol writes them: in decimal digits.
#pragma once

#include <charconv>
#include <string_view>

namespace tunnel::host {

// False when the text is none, or too large.
template <class Number>
bool read_decimal(std::string_view text, Number& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stop == end;
}

}  // namespace tunnel::host
