// aead_openssl.h — OpenSSL's ChaCha20-Poly1305 as a table, to compare with. No part of libtunnel.
#pragma once

#include <tunnel/cipher.h>

namespace bench {

// False where this build has no OpenSSL.
bool openssl_cipher(tunnel_cipher& out);

}  // namespace bench
