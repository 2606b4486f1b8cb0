#include "transport/read_space.h"

#include <algorithm>

namespace tunnel::transport {

ReadSpace::ReadSpace(const tunnel_slab& slab) noexcept : slab_(slab) {
  const std::size_t around = std::size_t{slab.headroom} + slab.tailroom;
  if (slab.size <= around) {
    used_ = slab.size;
    room_ = 1;
    return;
  }
  const std::size_t wanted = base::datagram_room(slab.mtu);
  room_ = static_cast<std::uint32_t>(std::min(wanted, slab.size - around));
}

void ReadSpace::take_slot(tunnel_packet& packet, std::size_t length) noexcept {
  base::describe(packet, place(), static_cast<std::uint32_t>(length), room_ + slab_.tailroom,
                 slab_.headroom);
  used_ += stride();
}

bool ReadSpace::fits_message() const noexcept {
  return left() >= slab_.headroom + kWholeMessage + slab_.tailroom;
}

// The first datagram has the headroom of the slab before it and the last the tailroom behind it.
std::size_t ReadSpace::take_message(std::span<tunnel_packet> packets, std::size_t length,
                                    std::size_t segment) noexcept {
  const std::size_t whole = datagram_length(length, segment);
  std::uint8_t* const start = place();
  std::size_t count = 0;
  for (std::size_t at = 0; count < packets.size() && (at < length || count == 0); at += whole) {
    const auto own = static_cast<std::uint32_t>(std::min(whole, length - at));
    const bool last = at + own == length;
    base::describe(packets[count++], start + at, own, own + (last ? slab_.tailroom : 0),
                   at == 0 ? slab_.headroom : 0);
  }
  constexpr std::size_t kAlignment = 16;
  const std::size_t rounded = (length + kAlignment - 1) / kAlignment * kAlignment;
  used_ = std::min(used_ + slab_.headroom + rounded + slab_.tailroom, slab_.size);
  return count;
}

}  // namespace tunnel::transport
