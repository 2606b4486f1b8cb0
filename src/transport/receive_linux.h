// receive_linux.h — recvmmsg(2) of a batch into slots of a slab.
#pragma once

#include <array>
#include <span>

#include "transport/address_linux.h"

namespace tunnel::transport {

// Cuts a slab into equal slots, because the length of a datagram is known only after it was read.
class SlotLayout {
 public:
  explicit SlotLayout(const tunnel_slab& slab) noexcept;

  [[nodiscard]] std::size_t count() const noexcept { return count_; }  // 0: the slab is too small
  [[nodiscard]] std::uint32_t room() const noexcept { return room_; }  // for the datagram
  [[nodiscard]] std::uint8_t* place(std::size_t slot) const noexcept {
    return slab_.bytes + slot * stride() + slab_.headroom;
  }
  // Describes the datagram that was read into a slot.
  void describe(std::size_t slot, std::uint32_t length, tunnel_packet& packet) const noexcept;

 private:
  [[nodiscard]] std::size_t stride() const noexcept {
    return std::size_t{slab_.headroom} + room_ + slab_.tailroom;
  }

  const tunnel_slab& slab_;
  std::uint32_t room_ = 0;
  std::size_t count_ = 0;
};

class ReceiveBatch {
 public:
  static constexpr std::size_t kSize = 64;

  ReceiveBatch() noexcept;
  ReceiveBatch(const ReceiveBatch&) = delete;  // the headers point into the object
  ReceiveBatch& operator=(const ReceiveBatch&) = delete;

  // Reads up to min(packets.size(), kSize) datagrams into the slots from `first` on. Returns the
  // count, 0 when none waits, or TUNNEL_ERR_CLOSED.
  std::int32_t receive(int fd, const SlotLayout& layout, std::size_t first,
                       std::span<tunnel_packet> packets) noexcept;

 private:
  void prepare(std::size_t i, std::uint8_t* place, std::uint32_t room) noexcept;

  std::array<mmsghdr, kSize> messages_{};
  std::array<iovec, kSize> spaces_{};
  std::array<SocketAddress, kSize> names_{};
  std::array<ControlBuffer, kSize> controls_{};
};

}  // namespace tunnel::transport
