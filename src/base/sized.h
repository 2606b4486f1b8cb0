// sized.h — structs that begin with their size (C ABI rule 2).
//
// A smaller struct comes from an older caller: members it does not have are zero. A larger one
// comes from a newer caller: fine while the part we do not know is zero.
#pragma once

#include <tunnel/status.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace tunnel::base {

// No struct of the ABI will ever be larger, so a larger size is memory that was never set.
inline constexpr std::uint32_t kLargestStruct = 64 * 1024;

template <class T>
[[nodiscard]] bool has_sane_size(const T* given) noexcept {
  return given != nullptr && given->size >= sizeof given->size && given->size <= kLargestStruct;
}

template <class T>
[[nodiscard]] std::int32_t read_sized(const T* from, T& to) noexcept {
  if (!has_sane_size(from)) return TUNNEL_ERR_ARGUMENT;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(from);
  const auto* end = bytes + from->size;
  if (from->size > sizeof(T) &&
      std::any_of(bytes + sizeof(T), end, [](auto b) { return b != 0; })) {
    return TUNNEL_ERR_VERSION;
  }
  to = {};
  std::memcpy(&to, from, std::min<std::size_t>(from->size, sizeof(T)));
  to.size = sizeof(T);
  return TUNNEL_OK;
}

// Fills as much as the caller's struct holds; what we do not know becomes zero.
template <class T>
[[nodiscard]] std::int32_t write_sized(const T& from, T* to) noexcept {
  if (!has_sane_size(to)) return TUNNEL_ERR_ARGUMENT;
  const auto size = to->size;
  const auto known = std::min<std::size_t>(size, sizeof(T));
  std::memcpy(to, &from, known);
  std::memset(reinterpret_cast<std::uint8_t*>(to) + known, 0, size - known);
  to->size = size;
  return TUNNEL_OK;
}

}  // namespace tunnel::base
