#include "host/system/network.h"

#include <cstddef>
#include <cstdint>

namespace tunnel::host {

tunnel_prefix network_of(tunnel_prefix prefix) noexcept {
  for (std::size_t i = 0; i < sizeof(prefix.bytes); ++i) {
    const std::size_t first = i * 8;
    if (prefix.length >= first + 8) continue;
    const std::size_t kept = prefix.length > first ? prefix.length - first : 0;
    prefix.bytes[i] = static_cast<std::uint8_t>(prefix.bytes[i] & (0xff00u >> kept));
  }
  return prefix;
}

}  // namespace tunnel::host
