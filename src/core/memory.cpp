// memory.cpp — how much memory the core holds, and how much more it may take.
//
// Every part that grows says before how many bytes that would take at most, so a limit refuses a
// peer, a session or a handshake before anything has changed. While a table moves into a larger one
// both exist for a moment; only what stays is counted.
#include <algorithm>

#include "core/core.h"

namespace tunnel::core {

std::size_t Core::memory_bytes() const noexcept {
  return sizeof(Core) + peers_.memory_bytes() + deadlines_.memory_bytes() +
         allowed_ips_.memory_bytes() + endpoints_.memory_bytes() + indices_.memory_bytes() +
         sessions_.memory_bytes() + handshakes_.memory_bytes() + staging_.memory_bytes() +
         queue_.memory_bytes();
}

std::int32_t Core::set_memory_limit(std::uint64_t bytes) noexcept {
  if (bytes != 0 && memory_bytes() > bytes) return TUNNEL_ERR_MEMORY;
  memory_limit_ = bytes;
  return TUNNEL_OK;
}

bool Core::may_grow(std::size_t bytes) const noexcept {
  return bytes == 0 || memory_limit_ == 0 || memory_bytes() + bytes <= memory_limit_;
}

void Core::note_memory() noexcept {
  memory_peak_ = std::max<std::uint64_t>(memory_peak_, memory_bytes());
}

// What one more peer takes, without its prefixes.
std::size_t Core::peer_growth() const noexcept {
  const auto peers = peers_.size() + std::size_t{1};
  return peers_.growth() + deadlines_.growth(peers) + (plain() ? endpoints_.growth(peers) : 0);
}

}  // namespace tunnel::core
