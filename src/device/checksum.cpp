#include "device/checksum.h"

#include <bit>
#include <cstring>

namespace tunnel::device {

namespace {

constexpr std::uint64_t kLow = 0xffffffff;

// A sum of 64 bits takes up the halves of 2^31 words before it could overflow.
std::uint64_t halves(std::uint64_t word) noexcept {
  return (word & kLow) + (word >> 32);
}

template <std::size_t Width>
struct Vector {
  using Lanes [[gnu::vector_size(Width)]] = std::uint64_t;
};

// Two vectors a turn, so that one addition need not wait for the other. Words of 64 bits are added
// as they are, their upper halves once more: what overflows belongs to those, and what remains when
// they are taken away is the sum of the lower halves. The words are taken in host order: a ones'
// complement sum only comes out with its bytes swapped (RFC 1071 2 (B)).
template <std::size_t Width>
[[gnu::always_inline]] inline std::uint64_t sum(base::Bytes bytes) noexcept {
  using Lanes = typename Vector<Width>::Lanes;
  Lanes whole{}, upper{}, other_whole{}, other_upper{};
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 2 * Width; left -= 2 * Width, at += 2 * Width) {
    Lanes first, second;
    std::memcpy(&first, at, Width);
    std::memcpy(&second, at + Width, Width);
    whole += first;
    upper += first >> 32;
    other_whole += second;
    other_upper += second >> 32;
  }
  if (left >= Width) {
    Lanes first;
    std::memcpy(&first, at, Width);
    whole += first;
    upper += first >> 32;
    left -= Width, at += Width;
  }
  upper += other_upper;
  const Lanes lower = whole + other_whole - (upper << 32);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < Width / 8; ++i) total += lower[i] + upper[i];
  total = halves(total);
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    total += halves(word);
  }
  std::uint64_t last = 0;
  if (left != 0) std::memcpy(&last, at, left);
  return total + halves(last);
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] std::uint64_t sum_avx2(base::Bytes bytes) noexcept {
  return sum<32>(bytes);
}
#endif

std::uint64_t best_sum(base::Bytes bytes) noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return sum_avx2(bytes);
#endif
  return sum<16>(bytes);
}

}  // namespace

std::uint16_t ones_sum(base::Bytes bytes, std::uint32_t start) noexcept {
  std::uint16_t folded = fold(best_sum(bytes));
  if constexpr (std::endian::native == std::endian::little) {
    folded = static_cast<std::uint16_t>(folded << 8 | folded >> 8);
  }
  return fold(std::uint64_t{folded} + start);
}

}  // namespace tunnel::device
