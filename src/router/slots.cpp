#include "router/slots.h"

#include <algorithm>
#include <new>

namespace tunnel::router {

template <unsigned kNear>
bool Slots<kNear>::add_child(unsigned six, std::uint32_t ref) noexcept {
  if (!open_gap(rank(children_, six), ref)) return false;
  children_ |= mask(six);
  return true;
}

template <unsigned kNear>
bool Slots<kNear>::add_prefix(unsigned number, std::uint32_t ref) noexcept {
  if (!open_gap(child_count() + rank(prefixes_, number), ref)) return false;
  prefixes_ |= mask(number);
  return true;
}

template <unsigned kNear>
void Slots<kNear>::replace_child(unsigned six, std::uint32_t ref) noexcept {
  refs()[rank(children_, six)] = ref;
}

template <unsigned kNear>
void Slots<kNear>::remove_child(unsigned six) noexcept {
  close_gap(rank(children_, six));
  children_ &= ~mask(six);
}

template <unsigned kNear>
void Slots<kNear>::remove_prefix(unsigned number) noexcept {
  close_gap(child_count() + rank(prefixes_, number));
  prefixes_ &= ~mask(number);
}

template <unsigned kNear>
void Slots<kNear>::clear() noexcept {
  if (is_far()) delete[] far_;
  children_ = prefixes_ = 0;
  room_ = kNear;
}

template <unsigned kNear>
std::size_t Slots<kNear>::memory_bytes() const noexcept {
  return is_far() ? room_ * sizeof(std::uint32_t) : 0;
}

// References an array of `count` has room for: blocks of 40, 56, 72 ... bytes fill an allocator's
// 16-byte steps with their 8 bytes of bookkeeping.
template <unsigned kNear>
unsigned Slots<kNear>::room_for(unsigned count) noexcept {
  return count <= kNear ? kNear : (count + 1) / 4 * 4 + 2;
}

// Both gap functions run before the words change, so the counts are those of the old array.
template <unsigned kNear>
bool Slots<kNear>::open_gap(unsigned position, std::uint32_t ref) noexcept {
  const unsigned size = child_count() + prefix_count();
  if (size == room_ && !move_to(room_for(size + 1), size)) return false;
  std::uint32_t* const all = refs();
  std::copy_backward(all + position, all + size, all + size + 1);
  all[position] = ref;
  return true;
}

template <unsigned kNear>
void Slots<kNear>::close_gap(unsigned position) noexcept {
  const unsigned size = child_count() + prefix_count();
  std::uint32_t* const all = refs();
  std::copy(all + position + 1, all + size, all + position);
  const unsigned room = room_for(size - 1);
  if (room < room_) static_cast<void>(move_to(room, size - 1));  // else the larger one serves too
}

// Moves the first `count` references to where there is `room` for as many. Inside there always is.
template <unsigned kNear>
bool Slots<kNear>::move_to(unsigned room, unsigned count) noexcept {
  std::uint32_t* const old_far = is_far() ? far_ : nullptr;
  std::uint32_t* fresh = near_;
  if (room > kNear) fresh = new (std::nothrow) std::uint32_t[room];
  if (fresh == nullptr) return false;
  std::copy_n(refs(), count, fresh);
  if (room > kNear) far_ = fresh;
  room_ = static_cast<std::uint8_t>(room);
  delete[] old_far;
  return true;
}

template class Slots<kNearIpv4>;
template class Slots<kNearIpv6>;

}  // namespace tunnel::router
