#include "host/control/uapi_key.h"

namespace tunnel::host {
namespace {

// Value of a hexadecimal digit, or 0x100.
unsigned nibble(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  const unsigned digit = byte - unsigned{'0'};
  const unsigned letter = (byte | 0x20u) - unsigned{'a'};
  const unsigned is_digit = ((digit - 10) & ~digit) >> 8 & 0xff;
  const unsigned is_letter = ((letter - 6) & ~letter) >> 8 & 0xff;
  const unsigned is_neither = (~(is_digit | is_letter) & 0x80) << 1;
  return (digit & is_digit) | ((letter + 10) & is_letter) | is_neither;
}

}  // namespace

bool read_key(std::string_view text, base::MutableBytesOf<TUNNEL_KEY_SIZE> key) noexcept {
  if (text.size() != 2 * key.size()) return false;
  unsigned odd = 0;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const unsigned byte = nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]);
    key[i] = static_cast<std::uint8_t>(byte);
    odd |= byte >> 8;
  }
  return odd == 0;
}

}  // namespace tunnel::host
