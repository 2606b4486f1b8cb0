#include "transport/receive_linux.h"

#include <algorithm>
#include <cerrno>

namespace tunnel::transport {

namespace {

// A socket reports an error of an earlier datagram instead of the next one: that one is read by
// asking again. The limit is there only so that a broken kernel cannot hold us for ever.
constexpr int kMaxPendingErrors = 64;

// The count, 0 when none waits, or TUNNEL_ERR_CLOSED.
std::int32_t receive_past_errors(int fd, mmsghdr* messages, std::size_t count) noexcept {
  for (int i = 0; i < kMaxPendingErrors; ++i) {
    const int got = ::recvmmsg(fd, messages, static_cast<unsigned>(count), MSG_DONTWAIT, nullptr);
    if (got >= 0) return got;
    if (errno == EAGAIN) return 0;
    if (errno == EBADF || errno == ENOTSOCK) return TUNNEL_ERR_CLOSED;
  }
  return 0;
}

}  // namespace

SlotLayout::SlotLayout(const tunnel_slab& slab) noexcept : slab_(slab) {
  const std::size_t around = std::size_t{slab.headroom} + slab.tailroom;
  if (slab.size <= around) return;
  const std::size_t wanted = base::datagram_room(slab.mtu);
  room_ = static_cast<std::uint32_t>(std::min(wanted, slab.size - around));
  count_ = slab.size / stride();
}

void SlotLayout::describe(std::size_t slot, std::uint32_t length,
                          tunnel_packet& packet) const noexcept {
  base::describe(packet, place(slot), length, room_ + slab_.tailroom, slab_.headroom);
}

ReceiveBatch::ReceiveBatch() noexcept {
  for (std::size_t i = 0; i < kSize; ++i) {
    msghdr& header = messages_[i].msg_hdr;
    header.msg_name = &names_[i];
    header.msg_iov = &spaces_[i];
    header.msg_iovlen = 1;
    header.msg_control = controls_[i].bytes.data();
  }
}

std::int32_t ReceiveBatch::receive(int fd, const SlotLayout& layout, std::size_t first,
                                   std::span<tunnel_packet> packets) noexcept {
  const std::size_t wanted = std::min(packets.size(), kSize);
  for (std::size_t i = 0; i < wanted; ++i) prepare(i, layout.place(first + i), layout.room());
  const std::int32_t got = receive_past_errors(fd, messages_.data(), wanted);
  for (std::size_t i = 0; got > 0 && i < static_cast<std::size_t>(got); ++i) {
    msghdr& header = messages_[i].msg_hdr;
    layout.describe(first + i, messages_[i].msg_len, packets[i]);
    if ((header.msg_flags & MSG_TRUNC) != 0) packets[i].flags |= TUNNEL_PACKET_TRUNCATED;
    packets[i].remote = from_socket_address(names_[i]);
    packets[i].local = read_source(header);
  }
  return got;
}

// The kernel overwrites the lengths of a header, so they are set before every call.
void ReceiveBatch::prepare(std::size_t i, std::uint8_t* place, std::uint32_t room) noexcept {
  spaces_[i] = {place, room};
  messages_[i].msg_hdr.msg_namelen = sizeof names_[i];
  messages_[i].msg_hdr.msg_controllen = controls_[i].bytes.size();
}

}  // namespace tunnel::transport
