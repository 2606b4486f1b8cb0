// tun_linux.h — a Linux TUN interface: one IP packet per read(2) and write(2).
#pragma once

#include <array>
#include <span>

#include "base/base.h"

namespace tunnel::device {

using InterfaceName = std::array<char, 16>;  // IFNAMSIZ, ends with 0

class Tun {
 public:
  static constexpr std::uint32_t kDeviceFlags = TUNNEL_DEVICE_LOCAL;

  // Creates an interface, or attaches to an existing TUN that nobody uses. See tunnel_tun_open().
  static base::Result<Tun> open(const char* name) noexcept;

  // Owns a descriptor that somebody else opened and configured with IFF_NO_PI.
  // TUNNEL_ERR_ARGUMENT when it is no TUN, or one with virtio headers.
  static base::Result<Tun> adopt(base::Descriptor fd) noexcept;

  std::int32_t read(const tunnel_slab& slab, std::span<tunnel_packet> packets) noexcept;
  std::int32_t write(std::span<tunnel_packet> packets) noexcept;
  std::int32_t wait(std::span<tunnel_handle> handles) noexcept;
  std::int32_t mtu() noexcept;

  std::int32_t set_mtu(std::uint32_t mtu) noexcept;
  base::Result<InterfaceName> name() const noexcept;

 private:
  explicit Tun(base::Descriptor fd) noexcept : fd_(static_cast<base::Descriptor&&>(fd)) {}

  std::int32_t read_one(base::SlabCursor& cursor, tunnel_packet& packet) noexcept;
  std::int32_t write_one(const tunnel_packet& packet) noexcept;
  bool gone(int error) const noexcept;

  base::Descriptor fd_;
  std::uint32_t mtu_ = 0;  // of the interface, when it was last asked
  bool blocked_ = false;   // the last write left packets over
};

}  // namespace tunnel::device
