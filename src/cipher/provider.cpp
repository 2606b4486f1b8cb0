#include "cipher/provider.h"

#include <string_view>

#include "cipher/cipher.h"

namespace tunnel::cipher {

std::int32_t find_provider(const char* name, tunnel_cipher& out) noexcept {
  const tunnel_cipher provider = libsodium_provider();
  if (name && std::string_view(name) != provider.ops->name) return TUNNEL_ERR_NOT_FOUND;
  static const bool works = initialize() && passes_self_check(libsodium_provider());
  if (!works) return TUNNEL_ERR_SELF_TEST;
  out = provider;
  return TUNNEL_OK;
}

}  // namespace tunnel::cipher
