// slab.h — laying the packets of one read into the caller's slab, one behind another.
//
//   | headroom | packet | padding | tailroom | headroom | packet | ...
//
// With WireGuard's 16 + 16 bytes around each packet, the datagrams that are later sealed in place
// touch each other. Devices, transports and the core must agree on it, so it stands here once.
#pragma once

#include <tunnel/packet.h>

#include <cstdint>

namespace tunnel::base {

// Length after padding an inside packet (whitepaper 5.4.6): to a multiple, never past the MTU. A
// packet longer than the MTU is padded relative to its last unit; an MTU of 0 is no limit.
constexpr std::uint32_t padded_length(std::uint32_t length, std::uint32_t multiple,
                                      std::uint32_t mtu) noexcept {
  if (multiple < 2) return length;
  const std::uint32_t last = mtu != 0 && length > mtu ? length % mtu : length;
  const std::uint32_t rounded = (last + multiple - 1) / multiple * multiple;
  return length - last + (mtu != 0 && rounded > mtu ? mtu : rounded);
}

// Bytes that a datagram gets in a slab, at least: enough for every sealed packet of this MTU and
// for a peer whose MTU is the usual one while ours is smaller.
constexpr std::uint32_t datagram_room(std::uint32_t mtu) noexcept {
  const std::uint32_t needed = (mtu + 80 + 15) / 16 * 16;
  return needed > 2048 ? needed : 2048;
}

// Hands out the places of a slab from front to back. Borrowed for one read.
class SlabCursor {
 public:
  explicit SlabCursor(const tunnel_slab& slab) noexcept : slab_(slab) {}

  // Bytes that a packet may have if it is laid here, so that its padding and tailroom still fit.
  [[nodiscard]] std::size_t space() const noexcept;

  // Where the next packet begins. Only when space() is not 0.
  [[nodiscard]] std::uint8_t* place() const noexcept {
    return slab_.bytes + used_ + slab_.headroom;
  }

  // Describes the packet of `length` <= space() bytes that now stands at place(), and moves on.
  void take(tunnel_packet& packet, std::uint32_t length) noexcept;

 private:
  const tunnel_slab& slab_;
  std::size_t used_ = 0;
};

// A packet that was just read: its bytes and the room around them; nothing is known of it yet.
void describe(tunnel_packet& packet, std::uint8_t* data, std::uint32_t length, std::uint32_t room,
              std::uint32_t headroom) noexcept;

}  // namespace tunnel::base
