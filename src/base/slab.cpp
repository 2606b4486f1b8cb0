#include "base/slab.h"

#include <cassert>

namespace tunnel::base {

std::size_t SlabCursor::space() const noexcept {
  const std::size_t longest_padding = slab_.padding > 1 ? slab_.padding - 1 : 0;
  const std::size_t around = std::size_t{slab_.headroom} + longest_padding + slab_.tailroom;
  const std::size_t left = slab_.size - used_;
  return left > around ? left - around : 0;
}

void SlabCursor::take(tunnel_packet& packet, std::uint32_t length) noexcept {
  assert(length <= space());
  const std::uint32_t room = padded_length(length, slab_.padding, slab_.mtu) + slab_.tailroom;
  describe(packet, place(), length, room, slab_.headroom);
  used_ += std::size_t{slab_.headroom} + room;
}

void describe(tunnel_packet& packet, std::uint8_t* data, std::uint32_t length, std::uint32_t room,
              std::uint32_t headroom) noexcept {
  packet.data = data;
  packet.length = length;
  packet.room = room;
  packet.headroom = headroom;
  packet.verdict = TUNNEL_VERDICT_NONE;
  packet.peer = 0;
  packet.flags = 0;
  packet.reserved = 0;
}

}  // namespace tunnel::base
