#include "core/index_table.h"

#include <new>

namespace tunnel::core {

namespace {
constexpr std::size_t kSmallest = 16;
}

std::size_t IndexTable::position(std::uint32_t index) const noexcept {
  auto at = index & mask();
  while (entries_[at].index != 0 && entries_[at].index != index) at = (at + 1) & mask();
  return at;
}

std::size_t IndexTable::next_size() const noexcept {
  if (used_ * 2 < size_) return size_;
  return size_ == 0 ? kSmallest : size_ * 2;
}

bool IndexTable::make_room() noexcept {
  const auto old_size = size_;
  const auto larger = next_size();
  if (larger == old_size) return true;
  std::unique_ptr<Entry[]> old(new (std::nothrow) Entry[larger]);
  if (old == nullptr) return false;
  old.swap(entries_);
  size_ = larger;
  for (std::size_t i = 0; i < old_size; ++i) {
    if (old[i].index != 0) entries_[position(old[i].index)] = old[i];
  }
  return true;
}

std::uint32_t IndexTable::add(std::uint32_t slot, PeerSession* session,
                              cipher::Random& random) noexcept {
  if (!make_room()) return 0;
  for (;;) {
    const auto index = random.next32();
    if (index == 0) continue;
    auto& entry = entries_[position(index)];
    if (entry.index == index) continue;
    entry = {index, slot, session};
    ++used_;
    return index;
  }
}

void IndexTable::assign(std::uint32_t index, PeerSession* session) noexcept {
  entries_[position(index)].session = session;
}

void IndexTable::remove(std::uint32_t index) noexcept {
  if (find(index) == nullptr) return;
  auto hole = position(index);
  entries_[hole] = {};
  --used_;
  // Close the gap: move back every follower that would no longer be found across it.
  for (auto at = (hole + 1) & mask(); entries_[at].index != 0; at = (at + 1) & mask()) {
    const auto home = entries_[at].index & mask();
    if (((at - home) & mask()) >= ((at - hole) & mask())) {
      entries_[hole] = entries_[at];
      entries_[at] = {};
      hole = at;
    }
  }
}

const IndexTable::Entry* IndexTable::find(std::uint32_t index) const noexcept {
  if (size_ == 0 || index == 0) return nullptr;
  const auto& entry = entries_[position(index)];
  return entry.index == index ? &entry : nullptr;
}

}  // namespace tunnel::core
