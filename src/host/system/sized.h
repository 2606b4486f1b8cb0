// sized.h — C structs that begin with their size: read those of older and newer callers.
#pragma once

#include <tunnel/status.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace tunnel::host {

// Copies what the caller gave into `out`; what it does not know is zero. ARGUMENT for null or a
// senseless size, VERSION when it uses members that we do not know.
template <class T>
[[nodiscard]] std::int32_t take(const T* given, T& out) noexcept {
  if (given == nullptr || given->size < sizeof(std::uint32_t)) return TUNNEL_ERR_ARGUMENT;
  const std::size_t size = given->size;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(given);
  if (size > sizeof(T) &&
      std::any_of(bytes + sizeof(T), bytes + size, [](std::uint8_t b) { return b != 0; })) {
    return TUNNEL_ERR_VERSION;
  }
  out = T{};
  std::memcpy(&out, given, std::min(size, sizeof(T)));
  out.size = sizeof(T);
  return TUNNEL_OK;
}

// Fills the caller's struct as far as it reaches; its size stays.
template <class T>
[[nodiscard]] std::int32_t give(const T& value, T* out) noexcept {
  if (out == nullptr || out->size < sizeof(std::uint32_t)) return TUNNEL_ERR_ARGUMENT;
  const std::uint32_t size = out->size;
  std::memcpy(out, &value, std::min<std::size_t>(size, sizeof(T)));
  out->size = size;
  return TUNNEL_OK;
}

}  // namespace tunnel::host
