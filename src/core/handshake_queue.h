// handshake_queue.h — handshake messages that passed the gate and wait for their Diffie-Hellman.
//
// A fixed ring, so that a flood costs no memory. Its filling is what "under load" means.
#pragma once

#include <tunnel/packet.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "protocol/protocol.h"

namespace tunnel::core {

struct QueuedHandshake {
  tunnel_address remote;
  tunnel_address local;
  std::uint32_t length;  // kInitiationSize or kResponseSize
  std::array<std::uint8_t, protocol::kInitiationSize> message;

  base::Bytes bytes() const noexcept { return {message.data(), length}; }
};

class HandshakeQueue {
 public:
  explicit HandshakeQueue(std::size_t capacity) : ring_(capacity) {}

  [[nodiscard]] bool push(const tunnel_packet& packet) noexcept {
    if (count_ == ring_.size()) return false;
    auto& entry = ring_[(first_ + count_) % ring_.size()];
    entry.remote = packet.remote;
    entry.local = packet.local;
    entry.length = packet.length;
    std::memcpy(entry.message.data(), packet.data, packet.length);
    ++count_;
    return true;
  }

  bool empty() const noexcept { return count_ == 0; }
  bool crowded() const noexcept { return count_ >= ring_.size() / 8; }
  // Valid until the next push.
  const QueuedHandshake& pop() noexcept {
    const auto& entry = ring_[first_];
    first_ = (first_ + 1) % ring_.size();
    --count_;
    return entry;
  }
  void clear() noexcept { count_ = 0; }

  std::size_t memory_bytes() const noexcept { return ring_.capacity() * sizeof(QueuedHandshake); }

 private:
  std::vector<QueuedHandshake> ring_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace tunnel::core
