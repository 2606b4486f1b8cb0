#include "base/secret.h"

namespace tunnel::base {

namespace {

// The compiler knows nothing about what comes out, so it cannot end a loop early because of it.
std::uint64_t opaque(std::uint64_t value) noexcept {
  __asm__("" : "+r"(value));
  return value;
}

}  // namespace

void wipe(void* memory, std::size_t length) noexcept {
  std::memset(memory, 0, length);
  // The compiler must assume that somebody reads the memory here, so the stores stay.
  __asm__ __volatile__("" : : "r"(memory) : "memory");
}

bool equal_constant_time(Bytes a, Bytes b) noexcept {
  if (a.size() != b.size()) return false;
  std::uint64_t difference = 0;
  std::size_t i = 0;
  for (; a.size() - i >= 8; i += 8) {
    difference = opaque(difference | (load_le64(&a[i]) ^ load_le64(&b[i])));
  }
  for (; i < a.size(); ++i) difference = opaque(difference | (a[i] ^ b[i]));
  return difference == 0;
}

bool is_zero_constant_time(Bytes a) noexcept {
  std::uint64_t any = 0;
  for (const auto byte : a) any = opaque(any | byte);
  return any == 0;
}

}  // namespace tunnel::base
