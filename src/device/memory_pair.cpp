#include "device/memory_pair.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

#include "device/device.h"

namespace tunnel::device {

using base::Error;
using base::Result;
using base::WaitFlag;

namespace {

constexpr std::uint32_t kDefaultCapacity = 256;
constexpr std::uint32_t kDefaultMtu = 1420;

// Packets on their way to one end, in order, in slots of one MTU each. The memory is taken at
// create and stays untouched until a slot is first used.
class Queue {
 public:
  Queue(std::uint32_t capacity, std::uint32_t mtu, WaitFlag filled, WaitFlag space)
      : mtu_(mtu),
        bytes_(new std::uint8_t[std::size_t{capacity} * mtu]),
        lengths_(capacity),
        filled_(std::move(filled)),
        space_(std::move(space)) {}

  // The verdict for a packet offered to this queue.
  std::int32_t push(const tunnel_packet& packet) noexcept {
    if (packet.length > mtu_) return TUNNEL_DROP_TOO_BIG;
    if (full()) return TUNNEL_VERDICT_WAIT;
    const std::size_t slot = (first_ + count_) % lengths_.size();
    if (packet.length > 0) std::memcpy(slot_bytes(slot), packet.data, packet.length);
    lengths_[slot] = packet.length;
    ++count_;
    return TUNNEL_VERDICT_SENT;
  }

  // Lays the oldest packet into the slab. False when there is none, or when it does not fit behind
  // those that are there already; the first is cut instead, so that a small slab never blocks.
  bool pop(base::SlabCursor& cursor, tunnel_packet& packet, bool first) noexcept {
    if (count_ == 0) return false;
    const std::uint32_t whole = lengths_[first_];
    const std::size_t space = cursor.space();
    if (whole > space && !first) return false;
    const auto length = static_cast<std::uint32_t>(std::min<std::size_t>(whole, space));
    if (length > 0) std::memcpy(cursor.place(), slot_bytes(first_), length);
    cursor.take(packet, length);
    if (length < whole) packet.flags |= TUNNEL_PACKET_TRUNCATED;
    first_ = (first_ + 1) % lengths_.size();
    --count_;
    return true;
  }

  // Brings both flags up to date: the reader's (an end to read from is readable too, so that its
  // CLOSED is noticed) and the writer's.
  void raise_flags(bool writer_closed) noexcept {
    filled_.set(count_ > 0 || writer_closed);
    space_.set(!full());
  }

  [[nodiscard]] std::int64_t filled_handle() const noexcept { return filled_.handle(); }
  [[nodiscard]] std::int64_t space_handle() const noexcept { return space_.handle(); }

 private:
  [[nodiscard]] bool full() const noexcept { return count_ == lengths_.size(); }
  std::uint8_t* slot_bytes(std::size_t slot) noexcept { return bytes_.get() + slot * mtu_; }

  std::uint32_t mtu_;
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::vector<std::uint32_t> lengths_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  WaitFlag filled_;
  WaitFlag space_;
};

}  // namespace

struct PairQueues {
  std::mutex lock;
  std::uint32_t mtu;
  std::array<Queue, 2> to;  // to[i] is read by end i
  std::array<bool, 2> closed{};

  void raise_flags(std::size_t side) noexcept { to[side].raise_flags(closed[1 - side]); }
};

PairEnd::PairEnd(std::shared_ptr<PairQueues> queues, std::size_t side) noexcept
    : queues_(std::move(queues)), side_(side) {}

PairEnd::~PairEnd() {
  const std::lock_guard guard(queues_->lock);
  queues_->closed[side_] = true;
  queues_->raise_flags(1 - side_);
}

std::int32_t PairEnd::read(const tunnel_slab& slab, std::span<tunnel_packet> packets) noexcept {
  base::SlabCursor cursor(slab);
  if (cursor.space() == 0) return TUNNEL_ERR_ARGUMENT;
  const std::lock_guard guard(queues_->lock);
  std::int32_t count = 0;
  for (auto& packet : packets) {
    if (!queues_->to[side_].pop(cursor, packet, count == 0)) break;
    ++count;
  }
  if (count == 0 && queues_->closed[1 - side_]) return TUNNEL_ERR_CLOSED;
  queues_->raise_flags(side_);
  return count;
}

std::int32_t PairEnd::write(std::span<tunnel_packet> packets) noexcept {
  const std::lock_guard guard(queues_->lock);
  const bool closed = queues_->closed[1 - side_];
  Queue& queue = queues_->to[1 - side_];
  blocked_ = false;
  for (auto& packet : packets) {
    if (packet.verdict != TUNNEL_VERDICT_DELIVER) continue;
    packet.verdict = closed ? TUNNEL_DROP_IO : queue.push(packet);
    blocked_ = blocked_ || packet.verdict == TUNNEL_VERDICT_WAIT;
  }
  queues_->raise_flags(1 - side_);
  return closed ? TUNNEL_ERR_CLOSED : TUNNEL_OK;
}

std::int32_t PairEnd::wait(std::span<tunnel_handle> handles) noexcept {
  std::size_t count = 0;
  const auto add = [&](std::int64_t handle, std::uint32_t events) {
    if (count < handles.size()) handles[count++] = {handle, events, 0};
  };
  add(queues_->to[side_].filled_handle(), TUNNEL_READABLE);
  if (blocked_) add(queues_->to[1 - side_].space_handle(), TUNNEL_WRITABLE);
  return static_cast<std::int32_t>(count);
}

std::int32_t PairEnd::mtu() noexcept {
  return static_cast<std::int32_t>(queues_->mtu);
}

Result<std::array<tunnel_device, 2>> make_pair(std::uint32_t capacity, std::uint32_t mtu) {
  if (capacity == 0) capacity = kDefaultCapacity;
  if (mtu == 0) mtu = kDefaultMtu;
  if (mtu > UINT16_MAX) return Error{TUNNEL_ERR_ARGUMENT};
  const auto make_queue = [&]() -> Result<Queue> {
    auto filled = WaitFlag::create(WaitFlag::Kind::readable);
    if (!filled) return Error{filled.status()};
    auto space = WaitFlag::create(WaitFlag::Kind::writable);
    if (!space) return Error{space.status()};
    return Queue(capacity, mtu, std::move(*filled), std::move(*space));
  };
  auto first = make_queue();
  if (!first) return Error{first.status()};
  auto second = make_queue();
  if (!second) return Error{second.status()};
  const std::shared_ptr<PairQueues> queues(
      new PairQueues{{}, mtu, {std::move(*first), std::move(*second)}, {}});
  auto end0 = std::make_unique<PairEnd>(queues, 0);
  auto end1 = std::make_unique<PairEnd>(queues, 1);
  return std::array{base::make_device(std::move(end0)), base::make_device(std::move(end1))};
}

}  // namespace tunnel::device
