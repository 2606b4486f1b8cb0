// nonce.h — the nonce of WireGuard: four zero bytes, then the counter (whitepaper 5.4.6).
#pragma once

#include <array>
#include <cstdint>

#include "base/base.h"

namespace tunnel::cipher {

inline std::array<std::uint8_t, 12> make_nonce(std::uint64_t counter) noexcept {
  std::array<std::uint8_t, 12> nonce{};
  base::store_le64(&nonce[4], counter);
  return nonce;
}

}  // namespace tunnel::cipher
