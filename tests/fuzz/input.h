// input.h — reads a fuzzer's bytes as numbers and fields; what is missing reads as zero.
#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/base.h"

namespace tunnel::fuzz {

// A rule that must hold for every input. Fails loudly in every build type.
inline void expect(bool holds, const char* rule) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", rule);
  std::abort();
}

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }
  base::Bytes rest() const { return rest_; }

  template <std::size_t N>
  std::array<std::uint8_t, N> bytes() {
    std::array<std::uint8_t, N> out{};
    const auto count = std::min(N, rest_.size());
    std::copy_n(rest_.begin(), count, out.begin());
    rest_ = rest_.subspan(count);
    return out;
  }

  std::uint8_t byte() { return bytes<1>()[0]; }
  std::uint64_t number() { return base::load_le64(bytes<8>().data()); }

  // Uses up the input as pairs (offset, bits to flip) on a message. True when afterwards a byte in
  // [begin, end) is another than before.
  bool flip(base::MutableBytes message, std::size_t begin, std::size_t end) {
    const std::vector<std::uint8_t> before(message.begin(), message.end());
    while (!empty()) {
      const std::size_t offset = byte();
      message[offset % message.size()] ^= byte();
    }
    return !std::equal(message.begin() + static_cast<std::ptrdiff_t>(begin),
                       message.begin() + static_cast<std::ptrdiff_t>(end),
                       before.begin() + static_cast<std::ptrdiff_t>(begin));
  }

 private:
  base::Bytes rest_;
};

}  // namespace tunnel::fuzz
