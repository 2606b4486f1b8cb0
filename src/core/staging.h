// staging.h — inside packets that wait for a session, in one pool for all peers.
//
// The pool is cut into blocks of 256 bytes; a packet is a chain of blocks, a queue a chain of
// packets. A peer keeps at most 128 packets and loses its oldest first; when the pool is full, the
// peer that holds most loses its oldest. Everything is O(1) per packet; nothing allocates after
// creation.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/base.h"

namespace tunnel::core {

class Staging {
 public:
  static constexpr std::uint32_t kMaxPackets = 128;
  // Held by the peer; kNone while nothing waits. It must not move meanwhile: the pool sets it to
  // kNone when others push the last packet out.
  using Queue = std::uint32_t;
  static constexpr Queue kNone = UINT32_MAX;

  explicit Staging(std::size_t bytes);

  bool enabled() const noexcept { return !blocks_.empty(); }
  // Copies the packet to the end of the queue; `queue` is made when it is kNone. `dropped` gets how
  // many older packets (of any peer) made room. False when the packet is larger than the pool.
  [[nodiscard]] bool push(Queue& queue, base::Bytes packet, std::uint32_t& dropped) noexcept;

  bool empty(Queue queue) const noexcept { return count(queue) == 0; }
  std::uint32_t count(Queue queue) const noexcept;
  std::uint32_t front_length(Queue queue) const noexcept;
  // Copies the oldest packet out (front_length bytes) and forgets it; the last one frees the queue.
  void pop(Queue& queue, std::uint8_t* out) noexcept;
  // Forgets the oldest packet without copying it.
  void drop_front(Queue& queue) noexcept;
  // Forgets all packets; returns how many there were.
  std::uint32_t clear(Queue& queue) noexcept;

  std::size_t packets() const noexcept { return packets_; }
  std::size_t memory_bytes() const noexcept;

 private:
  static constexpr std::uint32_t kBlock = 256;

  struct Block {
    std::uint32_t next;         // block of the same packet, or of the free list
    std::uint32_t next_packet;  // first block of a packet: first block of the next one
    std::uint32_t length;       // first block of a packet: its bytes
  };
  struct PacketQueue {
    std::uint32_t head = kNone;  // oldest packet; in a free queue: the next free queue
    std::uint32_t tail = kNone;
    std::uint32_t count = 0;
    Queue before = kNone;  // neighbours among the queues of the same count
    Queue after = kNone;
    Queue* holder = nullptr;  // where the peer keeps the number of this queue
  };

  void ensure_queue(Queue& queue) noexcept;
  void release_queue(Queue queue) noexcept;
  void remove_front(Queue queue) noexcept;  // the queue stays, maybe empty
  void drop_from_largest() noexcept;
  void link(Queue queue) noexcept;    // into the list of its count
  void unlink(Queue queue) noexcept;  // out of it
  std::uint32_t take_block() noexcept;
  std::uint8_t* bytes(std::uint32_t block) noexcept {
    return &memory_[std::size_t{block} * kBlock];
  }

  std::unique_ptr<std::uint8_t[]> memory_;  // not initialised: untouched blocks cost no memory
  std::vector<Block> blocks_;
  std::vector<PacketQueue> queues_;
  std::array<Queue, kMaxPackets + 1> by_count_;
  std::uint32_t free_block_ = kNone;
  std::uint32_t free_blocks_ = 0;
  Queue free_queue_ = kNone;
  std::size_t packets_ = 0;
};

}  // namespace tunnel::core
