// read_space.h — the caller's slab, filled by one read from front to back.
#pragma once

#include "base/base.h"

namespace tunnel::transport {

// The longest that one message of the kernel can be: a train in one piece, or one datagram.
inline constexpr std::size_t kWholeMessage = 65'535;

// How long the datagrams are into which a message falls; the last may be shorter. `segment` is what
// the kernel says, 0 = nothing; nonsense is one datagram.
constexpr std::size_t datagram_length(std::size_t message, std::size_t segment) noexcept {
  return segment == 0 || segment > message ? message : segment;
}

// Hands out equal slots, because the length of a datagram is known only after it was read, or the
// room for a whole message.
class ReadSpace {
 public:
  explicit ReadSpace(const tunnel_slab& slab) noexcept;

  [[nodiscard]] std::size_t slots() const noexcept { return left() / stride(); }  // 0: too small
  [[nodiscard]] std::uint32_t room() const noexcept { return room_; }  // of a slot, for a datagram
  [[nodiscard]] std::uint8_t* slot(std::size_t i) const noexcept { return place() + i * stride(); }

  // Describes the datagram at the first slot and passes on to the next.
  void take_slot(tunnel_packet& packet, std::size_t length) noexcept;

  [[nodiscard]] bool fits_message() const noexcept;
  [[nodiscard]] std::uint8_t* place() const noexcept {
    return slab_.bytes + used_ + slab_.headroom;
  }
  // Describes as many datagrams of the message at place() as there are packets, where they stand:
  // they touch each other. Passes on behind the message. Returns the count.
  std::size_t take_message(std::span<tunnel_packet> packets, std::size_t length,
                           std::size_t segment) noexcept;

 private:
  [[nodiscard]] std::size_t left() const noexcept { return slab_.size - used_; }
  [[nodiscard]] std::size_t stride() const noexcept {
    return std::size_t{slab_.headroom} + room_ + slab_.tailroom;
  }

  const tunnel_slab& slab_;
  std::uint32_t room_ = 0;
  std::size_t used_ = 0;
};

}  // namespace tunnel::transport
