#include "transport/receive_linux.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <new>

namespace tunnel::transport {

namespace {

// A socket reports an error of an earlier datagram instead of the next one: that one is read by
// asking again. The limit is there only so that a broken kernel cannot hold us for ever.
constexpr int kMaxPendingErrors = 64;

// The count, 0 when none waits, or TUNNEL_ERR_CLOSED.
std::int32_t receive_past_errors(ReceiveBatch::Call call, int fd,
                                 std::span<mmsghdr> messages) noexcept {
  for (int i = 0; i < kMaxPendingErrors; ++i) {
    const int got = call(fd, messages.data(), static_cast<unsigned>(messages.size()));
    if (got >= 0) return got;
    if (errno == EAGAIN) return 0;
    if (errno == EBADF || errno == ENOTSOCK) return TUNNEL_ERR_CLOSED;
  }
  return 0;
}

// A datagram has the same limit wherever it came in, so that it does not depend on the load whether
// it can pass.
void limit(tunnel_packet& packet, std::uint32_t room, bool cut) noexcept {
  if (packet.length > room || cut) packet.flags |= TUNNEL_PACKET_TRUNCATED;
  packet.length = std::min(packet.length, room);
}

}  // namespace

int ReceiveBatch::ask_kernel(int fd, mmsghdr* messages, unsigned count) noexcept {
  return ::recvmmsg(fd, messages, count, MSG_DONTWAIT, nullptr);
}

ReceiveBatch::ReceiveBatch(Call call) noexcept : call_(call) {
  for (std::size_t i = 0; i < kWindow; ++i) {
    msghdr& header = messages_[i].msg_hdr;
    header.msg_name = &names_[i];
    header.msg_iov = spaces_[i].data();
    header.msg_control = controls_[i].bytes.data();
  }
}

void ReceiveBatch::expect_trains(bool trains) noexcept {
  trains_ = trains;
  window_ = trains ? 1 : kWindow;
  expected_ = 1;
}

std::int32_t ReceiveBatch::receive(int fd, std::uint16_t note, ReadSpace& space,
                                   std::span<tunnel_packet> packets) noexcept {
  assert(!waits());
  std::size_t count = 0;
  while (count < packets.size() && !waits()) {
    const auto rest = packets.subspan(count);
    const std::size_t asked = ask(space, rest.size(), count == 0);
    for (std::size_t i = 0; i < asked; ++i) prepare(i, space);
    if (asked == 0) break;
    const std::int32_t got = receive_past_errors(call_, fd, {messages_.data(), asked});
    if (got < 0 && count == 0) return got;
    if (got <= 0) break;
    arrived_ = static_cast<std::size_t>(got);
    waiting_ = 0;
    for (std::size_t i = 0; i < arrived_; ++i) note_arrival(i, note);
    count += whole(space) ? take_whole(space, rest) : take_slots(space, rest);
    if (static_cast<std::size_t>(got) < asked) break;
  }
  return static_cast<std::int32_t>(count);
}

bool ReceiveBatch::whole(const ReadSpace& space) const noexcept {
  return trains_ && window_ == 1 && space.fits_message();
}

// How many messages to ask for; 0: what is left of space and packets is too little.
std::size_t ReceiveBatch::ask(const ReadSpace& space, std::size_t packets,
                              bool first) const noexcept {
  const bool trains = trains_ && window_ == 1;
  if (trains && !first) return space.fits_message() && packets >= expected_ ? 1 : 0;
  if (trains && space.fits_message()) return 1;
  return std::min({window_, packets, space.slots()});
}

// The kernel overwrites the lengths of a header, so they are set before every call.
void ReceiveBatch::prepare(std::size_t i, const ReadSpace& space) noexcept {
  msghdr& header = messages_[i].msg_hdr;
  header.msg_namelen = sizeof names_[i];
  header.msg_controllen = controls_[i].bytes.size();
  header.msg_iovlen = 1;
  if (whole(space)) {
    spaces_[i][0] = {space.place(), kWholeMessage};
    return;
  }
  spaces_[i][0] = {space.slot(i), space.room()};
  if (!trains_ || !reserve_overflow() || space.room() > kWholeMessage) return;
  spaces_[i][1] = {overflow(i) + space.room(), kWholeMessage + 1 - space.room()};
  header.msg_iovlen = 2;
}

void ReceiveBatch::note_arrival(std::size_t i, std::uint16_t note) noexcept {
  msghdr& header = messages_[i].msg_hdr;
  const Controls controls = read_controls(header);
  arrivals_[i] = {from_socket_address(names_[i]), controls.local, messages_[i].msg_len,
                  controls.segment, (header.msg_flags & MSG_TRUNC) != 0};
  arrivals_[i].local.port = note;
}

// One message at the next place of the slab.
std::size_t ReceiveBatch::take_whole(ReadSpace& space, std::span<tunnel_packet> packets) noexcept {
  Arrival& message = arrivals_[0];
  const std::size_t each = datagram_length(message.length, message.segment);
  const std::uint8_t* start = space.place();
  const std::size_t count = space.take_message(packets, message.length, message.segment);
  for (tunnel_packet& packet : packets.first(count)) {
    const bool last = packet.data + packet.length == start + message.length;
    limit(packet, space.room(), message.cut && last);
    packet.remote = message.remote;
    packet.local = message.local;
  }
  const std::size_t taken = std::min(count * each, message.length);
  expected_ = each == 0 ? 1 : (message.length + each - 1) / each;
  if (expected_ == 1) window_ = 2;
  message.length -= taken;
  if (message.length != 0 && reserve_overflow()) {
    keep(0, {start + taken, message.length});
  } else {
    waiting_ = arrived_;
  }
  return count;
}

// Messages in slots: singles up to the first train, which waits with all that came after it.
std::size_t ReceiveBatch::take_slots(ReadSpace& space, std::span<tunnel_packet> packets) noexcept {
  const auto is_train = [this](const Arrival& message) {
    return overflow_ && datagram_length(message.length, message.segment) < message.length;
  };
  const auto all = std::span(arrivals_).first(arrived_);
  const auto train = std::ranges::find_if(all, is_train);
  const auto singles = static_cast<std::size_t>(train - all.begin());
  for (std::size_t i = singles; i < arrived_; ++i) {
    keep(i, {space.slot(i), std::min<std::size_t>(arrivals_[i].length, space.room())});
  }
  for (waiting_ = 0; waiting_ < singles; ++waiting_) {
    const Arrival& message = arrivals_[waiting_];
    tunnel_packet& packet = packets[waiting_];
    space.take_slot(packet, message.length);
    limit(packet, space.room(), message.cut);
    packet.remote = message.remote;
    packet.local = message.local;
  }
  if (trains_) window_ = waits() ? 1 : std::min(2 * window_, kWindow);
  return singles + deliver(space, packets.subspan(singles));
}

// The start of message `i` goes where the rest of it is.
void ReceiveBatch::keep(std::size_t i, std::span<const std::uint8_t> start) noexcept {
  std::memcpy(overflow(i), start.data(), start.size());
  offset_ = 0;
}

std::size_t ReceiveBatch::deliver(ReadSpace& space, std::span<tunnel_packet> packets) noexcept {
  std::size_t count = 0;
  while (waits() && count < packets.size() && space.slots() != 0) {
    const Arrival& message = arrivals_[waiting_];
    const std::size_t each = datagram_length(message.length, message.segment);
    const std::size_t own = std::min(each, message.length - offset_);
    const bool last = offset_ + own == message.length;
    tunnel_packet& packet = packets[count++];
    std::memcpy(space.place(), overflow(waiting_) + offset_,
                std::min<std::size_t>(own, space.room()));
    space.take_slot(packet, own);
    limit(packet, space.room(), message.cut && last);
    packet.remote = message.remote;
    packet.local = message.local;
    offset_ = last ? 0 : offset_ + own;
    waiting_ += last ? 1 : 0;
  }
  return count;
}

// Without memory longer messages are cut, and those that would wait are lost.
bool ReceiveBatch::reserve_overflow() noexcept {
  if (!overflow_) overflow_.reset(new (std::nothrow) std::uint8_t[kWindow * (kWholeMessage + 1)]);
  return overflow_ != nullptr;
}

}  // namespace tunnel::transport
