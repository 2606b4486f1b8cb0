// secret.h — key material: wiped when it dies, not copyable by accident, compared in constant time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace tunnel::base {

// Overwrites memory with zeros; the compiler cannot remove it.
void wipe(void* memory, std::size_t length) noexcept;

// True when both are equal; time depends on the length only.
bool equal_constant_time(Bytes a, Bytes b) noexcept;
bool is_zero_constant_time(Bytes a) noexcept;

template <std::size_t N>
class Secret {
 public:
  Secret() noexcept = default;
  explicit Secret(BytesOf<N> bytes) noexcept { assign(bytes); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.clear();
    }
    return *this;
  }
  ~Secret() { clear(); }

  void assign(BytesOf<N> bytes) noexcept { std::memcpy(bytes_.data(), bytes.data(), N); }
  void clear() noexcept { wipe(bytes_.data(), N); }
  bool is_zero() const noexcept { return is_zero_constant_time(bytes_); }

  BytesOf<N> bytes() const noexcept { return BytesOf<N>(bytes_); }
  MutableBytesOf<N> writable() noexcept { return MutableBytesOf<N>(bytes_); }
  const std::uint8_t* data() const noexcept { return bytes_.data(); }
  std::uint8_t* data() noexcept { return bytes_.data(); }

 private:
  std::array<std::uint8_t, N> bytes_{};
};

}  // namespace tunnel::base
