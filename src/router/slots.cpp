#include "router/slots.h"

#include <algorithm>
#include <new>

namespace tunnel::router {

namespace {

// References an array of `count` has room for: blocks of 8, 24, 40 ... bytes fill an allocator's
// 16-byte steps with their 8 bytes of bookkeeping.
constexpr unsigned room_for(unsigned count) noexcept {
  return count == 0 ? 0 : (count + 1) / 4 * 4 + 2;
}

}  // namespace

bool Slots::add_child(unsigned six, std::uint32_t ref) noexcept {
  if (!open_gap(rank(children_, six), ref)) return false;
  children_ |= mask(six);
  return true;
}

bool Slots::add_prefix(unsigned number, std::uint32_t ref) noexcept {
  if (!open_gap(child_count() + rank(prefixes_, number), ref)) return false;
  prefixes_ |= mask(number);
  return true;
}

void Slots::replace_child(unsigned six, std::uint32_t ref) noexcept {
  refs_[rank(children_, six)] = ref;
}

void Slots::remove_child(unsigned six) noexcept {
  close_gap(rank(children_, six));
  children_ &= ~mask(six);
}

void Slots::remove_prefix(unsigned number) noexcept {
  close_gap(child_count() + rank(prefixes_, number));
  prefixes_ &= ~mask(number);
}

std::size_t Slots::memory_bytes() const noexcept {
  return room_for(child_count() + prefix_count()) * sizeof(std::uint32_t);
}

// Both gap functions run before the words change, so the counts are those of the old array.
bool Slots::open_gap(unsigned position, std::uint32_t ref) noexcept {
  const unsigned size = child_count() + prefix_count();
  std::uint32_t* const old = refs_.get();
  if (room_for(size + 1) == room_for(size)) {
    std::copy_backward(old + position, old + size, old + size + 1);
    old[position] = ref;
    return true;
  }
  std::unique_ptr<std::uint32_t[]> bigger(new (std::nothrow) std::uint32_t[room_for(size + 1)]);
  if (!bigger) return false;
  std::copy(old, old + position, bigger.get());
  std::copy(old + position, old + size, bigger.get() + position + 1);
  bigger[position] = ref;
  refs_ = std::move(bigger);
  return true;
}

void Slots::close_gap(unsigned position) noexcept {
  const unsigned size = child_count() + prefix_count();
  std::uint32_t* const old = refs_.get();
  std::copy(old + position + 1, old + size, old + position);
  if (room_for(size - 1) == room_for(size)) return;
  if (size == 1) return refs_.reset();
  std::unique_ptr<std::uint32_t[]> smaller(new (std::nothrow) std::uint32_t[room_for(size - 1)]);
  if (!smaller) return;  // the larger array serves as well
  std::copy(old, old + size - 1, smaller.get());
  refs_ = std::move(smaller);
}

}  // namespace tunnel::router
