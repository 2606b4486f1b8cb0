// tun_write_linux.cpp — from a batch into the interface, everything ordered within each flow:
//
//   plan runs -> a run: one superpacket by one write(2) -> or, refused: its packets singly
//             -> a packet by itself: as it is
//
// Nothing is kept for a later write, so no packet waits for one that may follow it.
#include <algorithm>
#include <cerrno>

#include "device/tun_linux.h"

namespace tunnel::device {

std::int32_t Tun::write(std::span<tunnel_packet> packets) noexcept {
  blocked_ = closed_ = false;
  while (!packets.empty()) {
    const auto batch = packets.first(std::min(packets.size(), Coalescer::kPacketsMost));
    write_batch(batch);
    packets = packets.subspan(batch.size());
  }
  return closed_ ? TUNNEL_ERR_CLOSED : TUNNEL_OK;
}

void Tun::write_batch(std::span<tunnel_packet> batch) noexcept {
  if (batch.size() == 1 || !merges_.tcp) {
    for (auto& packet : batch) {
      if (packet.verdict == TUNNEL_VERDICT_DELIVER) packet.verdict = write_one(packet);
    }
    return;
  }
  coalescer_.plan(batch, merges_);
  for (const auto& run : coalescer_.runs()) {
    if (run.count > 1 && write_merged(run, batch)) continue;
    std::size_t i = run.head;
    for (unsigned left = run.count; left != 0; --left, i = coalescer_.next(i)) {
      batch[i].verdict = write_one(batch[i]);
    }
  }
}

// False when the packets are to be written singly. The packets are not touched: they may have to be
// offered again. A kernel that does not take what it should (Linux had a bug of this kind) is not
// asked again.
bool Tun::write_merged(const Coalescer::Run& run, std::span<tunnel_packet> batch) noexcept {
  if (blocked_ || closed_ || !merges_.tcp) return false;
  MergedHeader header = merge_headers(run);
  const std::size_t header_size = run.first.segment.header_size;
  std::array<iovec, 2 + Coalescer::kSegmentsMost> parts;
  parts[0] = {&header.virtio, header_size_};
  parts[1] = {header.bytes.data(), header_size};
  std::size_t i = run.head;
  for (std::size_t part = 2; part < std::size_t{2} + run.count; ++part, i = coalescer_.next(i)) {
    parts[part] = {batch[i].data + header_size, batch[i].length - header_size};
  }
  const int error = write_parts(std::span(parts).first(std::size_t{2} + run.count));
  if (error == EINVAL) {
    merges_ = {};
    ++counts_.refused;
    return false;
  }
  const std::int32_t verdict = verdict_of(error);
  if (verdict == TUNNEL_VERDICT_SENT) {
    ++counts_.superpackets_written;
    counts_.segments_written += run.count;
  }
  i = run.head;
  for (unsigned left = run.count; left != 0; --left, i = coalescer_.next(i)) {
    batch[i].verdict = verdict;
  }
  return true;
}

// The verdict. Nothing overtakes a packet that has to wait.
std::int32_t Tun::write_one(const tunnel_packet& packet) noexcept {
  if (closed_) return TUNNEL_DROP_IO;
  if (blocked_) return TUNNEL_VERDICT_WAIT;
  VirtioHeader header;  // nothing is left to the kernel
  return verdict_of(
      write_parts(std::array<iovec, 2>{{{&header, header_size_}, {packet.data, packet.length}}}));
}

// 0, or errno.
int Tun::write_parts(std::span<const iovec> parts) const noexcept {
  ssize_t length = 0;
  do {
    length = ::writev(fd_.get(), parts.data(), static_cast<int>(parts.size()));
  } while (length < 0 && errno == EINTR);
  return length < 0 ? errno : 0;
}

std::int32_t Tun::verdict_of(int error) noexcept {
  if (error == 0) return TUNNEL_VERDICT_SENT;
  if (error == EMSGSIZE) return TUNNEL_DROP_TOO_BIG;
  if (error == EAGAIN) blocked_ = true;
  if (blocked_) return TUNNEL_VERDICT_WAIT;
  // EINVAL: not an IP packet. ENOBUFS, ENOMEM: no memory for it. EIO: the interface is down.
  closed_ = gone(error);
  return TUNNEL_DROP_IO;
}

}  // namespace tunnel::device
