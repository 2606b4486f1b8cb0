// provider.h — the data-plane AEADs this build contains.
#pragma once

#include <tunnel/cipher.h>

namespace tunnel::cipher {

// libsodium's ChaCha20-Poly1305: always there. The prepared key is the key.
tunnel_cipher libsodium_provider() noexcept;

}  // namespace tunnel::cipher
