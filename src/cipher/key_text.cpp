#include <sodium.h>

#include "cipher/cipher.h"

namespace tunnel::cipher {

void encode_key(BytesOf<32> key, std::span<char, kKeyText + 1> text) noexcept {
  sodium_bin2base64(text.data(), text.size(), key.data(), key.size(),
                    sodium_base64_VARIANT_ORIGINAL);
}

namespace {

// libsodium 1.0.18 takes bytes from 0x80 on for base64 digits. No branch depends on a character.
bool is_ascii(std::string_view text) noexcept {
  unsigned all = 0;
  for (const char c : text) all |= static_cast<unsigned char>(c);
  return all < 0x80;
}

}  // namespace

bool decode_key(std::string_view text, MutableBytesOf<32> key) noexcept {
  // Stray bits, missing padding and foreign characters are refused by libsodium; 44 characters with
  // two paddings are 31 bytes and are refused by the length.
  std::size_t length = 0;
  if (text.size() == kKeyText && is_ascii(text) &&
      sodium_base642bin(key.data(), key.size(), text.data(), text.size(), nullptr, &length, nullptr,
                        sodium_base64_VARIANT_ORIGINAL) == 0 &&
      length == key.size()) {
    return true;
  }
  base::wipe(key.data(), key.size());
  return false;
}

}  // namespace tunnel::cipher
