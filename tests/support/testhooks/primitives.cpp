#include "testhooks.h"
#include "views.h"

namespace cipher = tunnel::cipher;
using tunnel::base::Bytes;
using tunnel::testhooks::key;
using tunnel::testhooks::key_bytes;
using tunnel::testhooks::write;

namespace {

// libsodium chooses its fast code here, as it does in every program that makes a core.
[[maybe_unused]] const bool kReady = cipher::initialize();

}  // namespace

int tunnel_test_x25519(uint8_t* out32, const uint8_t* sk32, const uint8_t* pk32) {
  cipher::Key shared;
  const bool good = cipher::x25519(key(sk32), key_bytes(pk32), shared);
  write(out32, shared);
  return good ? 0 : -1;
}

int tunnel_test_blake2s(uint8_t* out, size_t outlen, const uint8_t* key, size_t keylen,
                        const uint8_t* msg, size_t msglen) {
  if (outlen < 1 || outlen > 32 || keylen > 32) return -1;
  cipher::Blake2s(outlen, Bytes(key, keylen)).update(Bytes(msg, msglen)).finish(out);
  return 0;
}

int tunnel_test_kdf(int n, uint8_t* out, const uint8_t* key, size_t keylen, const uint8_t* in,
                    size_t inlen) {
  if (n < 1 || n > 3) return -1;
  cipher::Key keys[3];
  cipher::kdf(Bytes(key, keylen), Bytes(in, inlen), &keys[0], n > 1 ? &keys[1] : nullptr,
              n > 2 ? &keys[2] : nullptr);
  for (int i = 0; i < n; ++i) write(out + 32 * i, keys[i]);
  return 0;
}
