// tun_read_linux.cpp — from the interface into a slab, everything ordered:
//
//   segments of the last superpacket -> read(2) -> one packet: stays where it was read
//                                               -> a superpacket: is cut into the slab
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "device/tun_linux.h"

namespace tunnel::device {

std::int32_t Tun::read(const tunnel_slab& slab, std::span<tunnel_packet> packets) noexcept {
  Laying laying{base::SlabCursor(slab), packets, slab};
  if (laying.cursor.space() == 0) return TUNNEL_ERR_ARGUMENT;
  lay_segments(laying);
  while (splitter_.empty() && worthwhile(laying)) {
    const std::int32_t got = read_next(laying);
    if (got < 0 && laying.count == 0) return got;
    if (got <= 0) break;  // an error comes again with the next read
  }
  return static_cast<std::int32_t>(laying.count);
}

// Traffic comes in rows of its kind: what would most likely not fit is left in the interface, where
// it costs no copy.
bool Tun::worthwhile(const Laying& laying) const noexcept {
  if (laying.count == 0) return laying.packets_left() != 0;
  return laying.packets_left() >= likely_packets_ && laying.cursor.space() >= likely_bytes_;
}

// 1, 0 when nothing waits, or an error. A packet of the usual length is read into its place; what
// is longer goes on in the scratch buffer, behind a gap for its beginning.
std::int32_t Tun::read_next(Laying& laying) noexcept {
  const std::size_t usual = std::min<std::size_t>(std::max(mtu_, laying.slab.mtu), kReadMost);
  const std::size_t window = std::min(laying.cursor.space(), usual);
  VirtioHeader header;
  const std::array<iovec, 3> parts{{{&header, header_size_},
                                    {laying.cursor.place(), window},
                                    {&scratch_[window], kReadMost - window}}};
  ssize_t got = 0;
  do {
    got = ::readv(fd_.get(), parts.data(), static_cast<int>(parts.size()));
  } while (got < 0 && errno == EINTR);
  if (got < 0) return gone(errno) ? TUNNEL_ERR_CLOSED : 0;
  const std::size_t length = static_cast<std::size_t>(got) - header_size_;
  likely_packets_ = 1;
  likely_bytes_ = usual;
  if (header.type == kWhole && length <= window) {
    if (!lay_whole(laying, header, length)) ++counts_.malformed;
    return 1;
  }
  std::memcpy(&scratch_[0], laying.cursor.place(), std::min(length, window));
  if (!split(laying, header, length)) ++counts_.malformed;
  return 1;
}

bool Tun::lay_whole(Laying& laying, const VirtioHeader& header, std::size_t length) noexcept {
  if (!complete_checksum(header, {laying.cursor.place(), length})) return false;
  laying.cursor.take(laying.packets[laying.count++], static_cast<std::uint32_t>(length));
  return true;
}

bool Tun::split(Laying& laying, const VirtioHeader& header, std::size_t length) noexcept {
  if (!splitter_.begin(header, {&scratch_[0], length})) return false;
  const auto& slab = laying.slab;
  if (header.type == kWhole) {
    if (length > mtu_) mtu();  // somebody raised it: the next read leaves enough space
  } else {
    const std::size_t around = std::size_t{slab.headroom} + slab.padding + slab.tailroom;
    likely_packets_ = splitter_.segments_left();
    likely_bytes_ = likely_packets_ * (splitter_.next_length() + around);
    ++counts_.superpackets_read;
    counts_.segments_read += likely_packets_;
  }
  lay_segments(laying);
  return true;
}

// A segment that is too long even for an empty slab is cut, and says so.
void Tun::lay_segments(Laying& laying) noexcept {
  while (!splitter_.empty() && laying.packets_left() != 0) {
    const std::size_t length = splitter_.next_length();
    const std::size_t space = laying.cursor.space();
    if (length > space && laying.count != 0) return;
    const std::size_t laid = std::min(length, space);
    splitter_.next({laying.cursor.place(), laid});
    tunnel_packet& packet = laying.packets[laying.count++];
    laying.cursor.take(packet, static_cast<std::uint32_t>(laid));
    if (laid < length) packet.flags |= TUNNEL_PACKET_TRUNCATED;
  }
}

}  // namespace tunnel::device
