// initiation_queue.h — the peers that wait to initiate a handshake, in the order of their asking.
//
// A list through the peers, so that it takes no memory and a peer that goes leaves at once. It is
// apart from the deadlines: an initiation costs Diffie-Hellman budget, and ten thousand dead peers
// to be tried again must not keep a living one's packets waiting.
#pragma once

#include <cstdint>

namespace tunnel::core {

// What the queue keeps inside each peer.
struct InitiationLink {
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::uint32_t before = kNone;
  std::uint32_t after = kNone;
  bool queued = false;
};

// `Links` finds the InitiationLink of a slot: `InitiationLink& links(std::uint32_t slot)`.
template <class Links>
class InitiationQueue {
 public:
  explicit InitiationQueue(Links links) noexcept : links_(links) {}

  bool empty() const noexcept { return first_ == InitiationLink::kNone; }

  // At the end, or where it stands already.
  void push(std::uint32_t slot) noexcept {
    auto& link = links_(slot);
    if (link.queued) return;
    link = {.before = last_, .after = InitiationLink::kNone, .queued = true};
    (empty() ? first_ : links_(last_).after) = slot;
    last_ = slot;
  }

  // Takes the first one out; only when not empty.
  std::uint32_t pop() noexcept {
    const auto slot = first_;
    remove(slot);
    return slot;
  }

  void remove(std::uint32_t slot) noexcept {
    auto& link = links_(slot);
    if (!link.queued) return;
    (slot == first_ ? first_ : links_(link.before).after) = link.after;
    (slot == last_ ? last_ : links_(link.after).before) = link.before;
    link = {};
  }

 private:
  Links links_;
  std::uint32_t first_ = InitiationLink::kNone;
  std::uint32_t last_ = InitiationLink::kNone;
};

}  // namespace tunnel::core
