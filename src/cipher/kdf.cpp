// kdf.cpp — HASH, MAC, HMAC and KDF of the whitepaper (5.4), all on BLAKE2s.
#include <algorithm>
#include <cassert>

#include "cipher/cipher.h"

namespace tunnel::cipher {

Hash hash(Bytes a, Bytes b) noexcept {
  Hash out;
  Blake2s(out.size()).update(a).update(b).finish(out.data());
  return out;
}

std::array<std::uint8_t, 16> mac(Bytes key, Bytes a, Bytes b) noexcept {
  std::array<std::uint8_t, 16> out;
  Blake2s(out.size(), key).update(a).update(b).finish(out.data());
  return out;
}

namespace {

// HMAC(key, a || b). RFC 2104 with a block of 64 bytes; a longer key is hashed first.
void hmac2(Bytes key, Bytes a, Bytes b, Key& out) noexcept {
  Secret<Blake2s::kBlock> pad;
  if (key.size() > Blake2s::kBlock) {
    Blake2s(32).update(key).finish(pad.data());
  } else {
    std::copy(key.begin(), key.end(), pad.data());
  }
  for (auto& byte : pad.writable()) byte ^= 0x36;
  Key inner;
  Blake2s(32).update(pad.bytes()).update(a).update(b).finish(inner.data());
  for (auto& byte : pad.writable()) byte ^= 0x36 ^ 0x5c;
  Blake2s(32).update(pad.bytes()).update(inner.bytes()).finish(out.data());
}

}  // namespace

void hmac(Bytes key, Bytes message, MutableBytesOf<32> out) noexcept {
  Key result;
  hmac2(key, message, {}, result);
  base::copy<32>(out, result.bytes());
}

void kdf(Bytes key, Bytes input, Key* first, Key* second, Key* third) noexcept {
  assert(first && (second || !third));
  Key secret;
  hmac2(key, input, {}, secret);
  Bytes last{};
  std::uint8_t number = 1;
  for (Key* output : {first, second, third}) {
    if (!output) break;
    hmac2(secret.bytes(), last, Bytes(&number, 1), *output);
    last = output->bytes();
    ++number;
  }
}

}  // namespace tunnel::cipher
