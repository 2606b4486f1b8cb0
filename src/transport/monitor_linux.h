// monitor_linux.h — notices that a local address, route or link changed (rtnetlink(7)).
#pragma once

#include <array>
#include <cstdint>

#include "base/base.h"

namespace tunnel::transport {

class NetworkMonitor {
 public:
  static base::Result<NetworkMonitor> open() noexcept;

  [[nodiscard]] std::int64_t handle() const noexcept { return fd_.get(); }

  // Takes in what the kernel reported. True when something of it changed the network.
  bool drain() noexcept;

 private:
  // The last known state of a link or address, to tell changes from refreshes: a router
  // advertisement announces every address again.
  struct Known {
    std::uint64_t identity = 0;
    std::uint64_t state = 0;
  };

  explicit NetworkMonitor(base::Descriptor fd) noexcept
      : fd_(static_cast<base::Descriptor&&>(fd)) {}

  bool take_messages(base::Bytes bytes) noexcept;
  bool is_change(std::uint16_t type, base::Bytes message) noexcept;
  bool is_news(std::uint64_t identity, std::uint64_t state) noexcept;

  base::Descriptor fd_;
  std::array<Known, 64> known_{};
};

}  // namespace tunnel::transport
