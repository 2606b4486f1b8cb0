#include "base/secret.h"

namespace tunnel::base {

void wipe(void* memory, std::size_t length) noexcept {
  std::memset(memory, 0, length);
  // The compiler must assume that somebody reads the memory here, so the stores stay.
  __asm__ __volatile__("" : : "r"(memory) : "memory");
}

bool equal_constant_time(Bytes a, Bytes b) noexcept {
  if (a.size() != b.size()) return false;
  volatile std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  }
  return difference == 0;
}

bool is_zero_constant_time(Bytes a) noexcept {
  volatile std::uint8_t any = 0;
  for (const auto byte : a) any = static_cast<std::uint8_t>(any | byte);
  return any == 0;
}

}  // namespace tunnel::base
