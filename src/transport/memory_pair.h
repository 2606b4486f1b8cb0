// memory_pair.h — two transports joined in memory, with the faults of a network by choice.
//
// Both ends share one network under one lock; each end may live on another thread, and whoever
// closes last frees it. As on a real network, nobody notices that the other end is gone.
#pragma once

#include <memory>
#include <span>

#include "base/base.h"

namespace tunnel::transport {

struct MemoryNetwork;

class MemoryEnd {
 public:
  MemoryEnd(std::shared_ptr<MemoryNetwork> network, std::size_t side) noexcept;
  MemoryEnd(const MemoryEnd&) = delete;
  MemoryEnd& operator=(const MemoryEnd&) = delete;
  ~MemoryEnd();

  std::int32_t read(const tunnel_slab& slab, std::span<tunnel_packet> packets) noexcept;
  std::int32_t write(std::span<tunnel_packet> packets) noexcept;
  std::int32_t wait(std::span<tunnel_handle> handles) noexcept;
  std::int32_t port() noexcept;

  // For the whole pair. Time never goes back.
  void advance(std::uint64_t mono_ns) noexcept;

 private:
  std::int32_t send(tunnel_packet& packet) noexcept;

  std::shared_ptr<MemoryNetwork> network_;
  std::size_t side_;      // 0 or 1
  bool blocked_ = false;  // the last write left datagrams over
  bool waited_ = false;   // a write since the last wait() did
};

}  // namespace tunnel::transport
