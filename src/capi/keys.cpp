#include <tunnel/keys.h>

#include <string_view>

#include "cipher/cipher.h"

namespace cipher = tunnel::cipher;
using KeyBytes = tunnel::base::BytesOf<TUNNEL_KEY_SIZE>;
using MutableKeyBytes = tunnel::base::MutableBytesOf<TUNNEL_KEY_SIZE>;

static_assert(TUNNEL_KEY_TEXT_SIZE == cipher::kKeyText + 1);

int32_t tunnel_key_generate_preshared(uint8_t* key) {
  if (!key) return TUNNEL_ERR_ARGUMENT;
  if (!cipher::initialize()) return TUNNEL_ERR_UNAVAILABLE;
  cipher::Random().fill(MutableKeyBytes(key, TUNNEL_KEY_SIZE));
  return TUNNEL_OK;
}

int32_t tunnel_key_generate_private(uint8_t* key) {
  if (!key) return TUNNEL_ERR_ARGUMENT;
  if (!cipher::initialize()) return TUNNEL_ERR_UNAVAILABLE;
  cipher::Key made;
  cipher::Random().fill(made.writable());
  cipher::clamp(made);
  tunnel::base::copy<TUNNEL_KEY_SIZE>(MutableKeyBytes(key, TUNNEL_KEY_SIZE), made.bytes());
  return TUNNEL_OK;
}

int32_t tunnel_key_public(const uint8_t* private_key, uint8_t* public_key) {
  if (!private_key || !public_key) return TUNNEL_ERR_ARGUMENT;
  if (!cipher::initialize()) return TUNNEL_ERR_UNAVAILABLE;
  const cipher::Key secret(KeyBytes(private_key, TUNNEL_KEY_SIZE));
  cipher::x25519_base(secret, MutableKeyBytes(public_key, TUNNEL_KEY_SIZE));
  return TUNNEL_OK;
}

int32_t tunnel_key_to_text(const uint8_t* key, char* text) {
  if (!key || !text) return TUNNEL_ERR_ARGUMENT;
  cipher::encode_key(KeyBytes(key, TUNNEL_KEY_SIZE),
                     std::span<char, TUNNEL_KEY_TEXT_SIZE>(text, TUNNEL_KEY_TEXT_SIZE));
  return TUNNEL_OK;
}

int32_t tunnel_key_from_text(const char* text, size_t length, uint8_t* key) {
  if (!text || !key) return TUNNEL_ERR_ARGUMENT;
  const MutableKeyBytes out(key, TUNNEL_KEY_SIZE);
  return cipher::decode_key(std::string_view(text, length), out) ? TUNNEL_OK : TUNNEL_ERR_KEY;
}

void tunnel_key_wipe(void* memory, size_t length) {
  if (memory) tunnel::base::wipe(memory, length);
}
