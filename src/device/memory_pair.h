// memory_pair.h — two devices joined in memory.
//
// Both ends share the two queues under one lock; each end may live on another thread, and whoever
// closes last frees the queues.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "base/base.h"

namespace tunnel::device {

struct PairQueues;

class PairEnd {
 public:
  static constexpr std::uint32_t kDeviceFlags = 0;

  PairEnd(std::shared_ptr<PairQueues> queues, std::size_t side) noexcept;
  PairEnd(const PairEnd&) = delete;
  PairEnd& operator=(const PairEnd&) = delete;
  ~PairEnd();

  std::int32_t read(const tunnel_slab& slab, std::span<tunnel_packet> packets) noexcept;
  std::int32_t write(std::span<tunnel_packet> packets) noexcept;
  std::int32_t wait(std::span<tunnel_handle> handles) noexcept;
  std::int32_t mtu() noexcept;

 private:
  std::shared_ptr<PairQueues> queues_;
  std::size_t side_;      // 0 or 1: reads queue side_, writes the other
  bool blocked_ = false;  // the last write left packets over
};

}  // namespace tunnel::device
