// config.h — taking in the structs that begin with their size.
#pragma once

#include <tunnel/status.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tunnel::capi {

// Copies a caller's struct of any age into one of ours. Members that an older caller does not know
// become 0, the default; a newer caller's members must be 0, or this library would ignore a wish.
template <class T>
[[nodiscard]] std::int32_t read_config(const T* from, T& to) noexcept {
  if (from == nullptr || from->size < sizeof from->size) return TUNNEL_ERR_ARGUMENT;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(from);
  const std::size_t known = std::min<std::size_t>(from->size, sizeof(T));
  const auto unknown_is_set = [](std::uint8_t byte) { return byte != 0; };
  if (std::any_of(bytes + known, bytes + from->size, unknown_is_set)) return TUNNEL_ERR_VERSION;
  to = T{};
  std::memcpy(&to, bytes, known);
  to.size = sizeof(T);
  return TUNNEL_OK;
}

}  // namespace tunnel::capi
