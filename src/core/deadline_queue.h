// deadline_queue.h — the one deadline of each peer, earliest first.
//
// Lazy: a deadline is only ever brought forward here. When it comes, the peer says what is really
// due and is put back. A peer without deadline is not in the queue, so an idle tunnel costs
// nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace tunnel::core {

// What the queue keeps inside each peer.
struct DeadlineLink {
  static constexpr std::uint32_t kNotQueued = UINT32_MAX;
  std::uint32_t position = kNotQueued;
};

// `Links` finds the DeadlineLink of a slot: `DeadlineLink& links(std::uint32_t slot)`.
template <class Links>
class DeadlineQueue {
 public:
  explicit DeadlineQueue(Links links) noexcept : links_(links) {}

  // So that nothing allocates later. Doubles: peers are added one by one.
  void reserve(std::size_t peers) {
    if (peers > heap_.capacity()) heap_.reserve(std::max(peers, 2 * heap_.capacity()));
  }
  // Bytes that reserve() would take.
  std::size_t growth(std::size_t peers) const noexcept {
    if (peers <= heap_.capacity()) return 0;
    return (std::max(peers, 2 * heap_.capacity()) - heap_.capacity()) * sizeof(Entry);
  }

  bool empty() const noexcept { return heap_.empty(); }
  std::uint64_t earliest() const noexcept { return heap_.empty() ? UINT64_MAX : heap_[0].when; }
  std::uint32_t earliest_slot() const noexcept { return heap_[0].slot; }

  // Brings the deadline of `slot` forward to `when`, or leaves it where it is earlier already.
  void bring_forward(std::uint32_t slot, std::uint64_t when) noexcept {
    const auto position = links_(slot).position;
    if (position == DeadlineLink::kNotQueued) {
      heap_.push_back({when, slot});
      rise(heap_.size() - 1);
    } else if (when < heap_[position].when) {
      heap_[position].when = when;
      rise(position);
    }
  }

  // Sets the deadline of a queued slot anew, later or earlier.
  void move(std::uint32_t slot, std::uint64_t when) noexcept {
    const auto position = links_(slot).position;
    heap_[position].when = when;
    rise(position);
    sink(links_(slot).position);
  }

  void remove(std::uint32_t slot) noexcept {
    const std::size_t position = links_(slot).position;
    if (position == DeadlineLink::kNotQueued) return;
    links_(slot).position = DeadlineLink::kNotQueued;
    const auto last = heap_.back();
    heap_.pop_back();
    if (position == heap_.size()) return;
    place(position, last);
    rise(position);
    sink(links_(last.slot).position);
  }

  std::size_t memory_bytes() const noexcept { return heap_.capacity() * sizeof(Entry); }

 private:
  struct Entry {
    std::uint64_t when;
    std::uint32_t slot;
  };

  void place(std::size_t position, Entry entry) noexcept {
    heap_[position] = entry;
    links_(entry.slot).position = static_cast<std::uint32_t>(position);
  }

  void rise(std::size_t position) noexcept {
    const auto entry = heap_[position];
    while (position > 0 && entry.when < heap_[(position - 1) / 2].when) {
      place(position, heap_[(position - 1) / 2]);
      position = (position - 1) / 2;
    }
    place(position, entry);
  }

  void sink(std::size_t position) noexcept {
    const auto entry = heap_[position];
    for (;;) {
      auto child = 2 * position + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && heap_[child + 1].when < heap_[child].when) ++child;
      if (entry.when <= heap_[child].when) break;
      place(position, heap_[child]);
      position = child;
    }
    place(position, entry);
  }

  Links links_;
  std::vector<Entry> heap_;
};

}  // namespace tunnel::core
