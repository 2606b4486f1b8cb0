#include <tunnel/cipher.h>

#include "cipher/cipher.h"

int32_t tunnel_cipher_find(const char* name, tunnel_cipher* out) {
  if (!out) return TUNNEL_ERR_ARGUMENT;
  return tunnel::cipher::find_provider(name, *out);
}
