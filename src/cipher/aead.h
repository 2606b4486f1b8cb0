// aead.h — ChaCha20-Poly1305 with a whole nonce, as RFC 8439 has it.
//
// WireGuard uses only the nonces that make_nonce() gives; published vectors use others.
#pragma once

#include <array>
#include <cstdint>

#include "base/base.h"

namespace tunnel::cipher {

using Nonce = std::array<std::uint8_t, 12>;

// Four zero bytes, then the counter (whitepaper 5.4.6).
inline Nonce make_nonce(std::uint64_t counter) noexcept {
  Nonce nonce{};
  base::store_le64(&nonce[4], counter);
  return nonce;
}

// As aead_seal() and aead_open() of the door.
void seal_with_nonce(std::uint8_t* out, const std::uint8_t* key32, const Nonce& nonce,
                     base::Bytes text, base::Bytes associated) noexcept;
[[nodiscard]] bool open_with_nonce(std::uint8_t* out, const std::uint8_t* key32, const Nonce& nonce,
                                   base::Bytes text, base::Bytes associated) noexcept;

}  // namespace tunnel::cipher
