#include "core/staging.h"

#include <algorithm>

namespace tunnel::core {

Staging::Staging(std::size_t bytes) {
  by_count_.fill(kNone);
  const auto count = static_cast<std::uint32_t>(bytes / kBlock);
  if (count == 0) return;
  memory_.reset(new std::uint8_t[std::size_t{count} * kBlock]);
  blocks_.resize(count);
  queues_.resize(count);
  for (std::uint32_t i = count; i-- > 0;) {
    blocks_[i].next = free_block_;
    free_block_ = i;
    queues_[i].head = free_queue_;
    free_queue_ = i;
  }
  free_blocks_ = count;
}

bool Staging::push(Queue& queue, base::Bytes packet, std::uint32_t& dropped) noexcept {
  dropped = 0;
  const auto needed =
      std::max<std::uint32_t>(1, (static_cast<std::uint32_t>(packet.size()) + kBlock - 1) / kBlock);
  if (needed > blocks_.size()) return false;
  if (count(queue) == kMaxPackets) {
    remove_front(queue);
    ++dropped;
  }
  for (; free_blocks_ < needed; ++dropped) drop_from_largest();
  ensure_queue(queue);

  const auto first = take_block();
  blocks_[first].length = static_cast<std::uint32_t>(packet.size());
  blocks_[first].next_packet = kNone;
  auto block = first;
  for (std::size_t done = 0;;) {
    const auto piece = std::min<std::size_t>(kBlock, packet.size() - done);
    std::copy_n(packet.data() + done, piece, bytes(block));  // an empty packet may have no bytes
    done += piece;
    if (done == packet.size()) break;
    blocks_[block].next = take_block();
    block = blocks_[block].next;
  }

  unlink(queue);
  auto& q = queues_[queue];
  (q.count == 0 ? q.head : blocks_[q.tail].next_packet) = first;
  q.tail = first;
  ++q.count;
  ++packets_;
  link(queue);
  return true;
}

std::uint32_t Staging::count(Queue queue) const noexcept {
  return queue == kNone ? 0 : queues_[queue].count;
}

std::uint32_t Staging::front_length(Queue queue) const noexcept {
  return blocks_[queues_[queue].head].length;
}

void Staging::pop(Queue& queue, std::uint8_t* out) noexcept {
  auto block = queues_[queue].head;
  std::size_t left = blocks_[block].length;
  for (; left > kBlock; block = blocks_[block].next, left -= kBlock, out += kBlock) {
    std::copy_n(bytes(block), kBlock, out);
  }
  std::copy_n(bytes(block), left, out);
  drop_front(queue);
}

void Staging::drop_front(Queue& queue) noexcept {
  remove_front(queue);
  if (queues_[queue].count == 0) release_queue(queue);
}

std::uint32_t Staging::clear(Queue& queue) noexcept {
  if (queue == kNone) return 0;
  const auto forgotten = queues_[queue].count;
  while (queues_[queue].count > 0) remove_front(queue);
  release_queue(queue);
  return forgotten;
}

std::size_t Staging::memory_bytes() const noexcept {
  return blocks_.size() * (kBlock + sizeof(Block) + sizeof(PacketQueue));
}

// There is always a free one: there are as many as blocks, and none is held without a packet.
void Staging::ensure_queue(Queue& queue) noexcept {
  if (queue != kNone) return;
  queue = free_queue_;
  free_queue_ = queues_[queue].head;
  queues_[queue] = {};
  queues_[queue].holder = &queue;
}

void Staging::release_queue(Queue queue) noexcept {
  *queues_[queue].holder = kNone;
  queues_[queue].head = free_queue_;
  free_queue_ = queue;
}

// A waiting packet is somebody's plaintext: it is wiped when it leaves.
void Staging::remove_front(Queue queue) noexcept {
  unlink(queue);
  auto& q = queues_[queue];
  auto block = q.head;
  auto left = std::max<std::uint32_t>(1, blocks_[block].length);
  q.head = blocks_[block].next_packet;
  for (;;) {
    base::wipe(bytes(block), std::min(left, kBlock));
    const auto next = blocks_[block].next;
    blocks_[block].next = free_block_;
    free_block_ = block;
    ++free_blocks_;
    if (left <= kBlock) break;
    left -= kBlock;
    block = next;
  }
  --q.count;
  --packets_;
  link(queue);
}

void Staging::drop_from_largest() noexcept {
  for (auto count = kMaxPackets; count > 0; --count) {
    if (by_count_[count] == kNone) continue;
    const auto queue = by_count_[count];
    remove_front(queue);
    if (queues_[queue].count == 0) release_queue(queue);
    return;
  }
}

void Staging::link(Queue queue) noexcept {
  auto& q = queues_[queue];
  if (q.count == 0) return;
  auto& first = by_count_[q.count];
  q.before = kNone;
  q.after = first;
  if (first != kNone) queues_[first].before = queue;
  first = queue;
}

void Staging::unlink(Queue queue) noexcept {
  auto& q = queues_[queue];
  if (q.count == 0) return;
  (q.before == kNone ? by_count_[q.count] : queues_[q.before].after) = q.after;
  if (q.after != kNone) queues_[q.after].before = q.before;
}

std::uint32_t Staging::take_block() noexcept {
  const auto block = free_block_;
  free_block_ = blocks_[block].next;
  --free_blocks_;
  return block;
}

}  // namespace tunnel::core
