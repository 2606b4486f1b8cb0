#include "transport/flight.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>

namespace tunnel::transport {

namespace {
constexpr std::size_t kSlotUnit = 2048;
}

Flight::Flight(std::uint32_t capacity) : slots_(capacity), free_(capacity) {
  arrivals_.reserve(capacity);
  for (std::uint32_t i = 0; i < capacity; ++i) free_[i] = capacity - 1 - i;
}

bool Flight::send(base::Bytes datagram, std::uint64_t arrival, bool overtakes) noexcept {
  assert(!full());
  const std::uint32_t slot = free_.back();
  if (!store(slots_[slot], datagram)) return false;
  free_.pop_back();
  Arrival entry{arrival, sent_++, slot};
  if (overtakes) exchange_with_predecessor(entry);
  arrivals_.push_back(entry);  // reserved at create
  std::push_heap(arrivals_.begin(), arrivals_.end(), later);
  return true;
}

bool Flight::receive(base::SlabCursor& cursor, tunnel_packet& packet, bool cut) noexcept {
  const std::uint32_t index = arrivals_.front().slot;
  const Slot& slot = slots_[index];
  const std::size_t space = cursor.space();
  if (slot.length > space && !cut) return false;
  const auto length = static_cast<std::uint32_t>(std::min<std::size_t>(slot.length, space));
  if (length > 0) std::memcpy(cursor.place(), slot.bytes.get(), length);
  cursor.take(packet, length);
  if (length < slot.length) packet.flags |= TUNNEL_PACKET_TRUNCATED;
  std::pop_heap(arrivals_.begin(), arrivals_.end(), later);
  arrivals_.pop_back();
  free_.push_back(index);
  return true;
}

bool Flight::later(const Arrival& a, const Arrival& b) noexcept {
  return a.time != b.time ? a.time > b.time : a.sequence > b.sequence;
}

bool Flight::store(Slot& slot, base::Bytes datagram) noexcept {
  if (slot.room < datagram.size()) {
    const std::size_t room = (datagram.size() + kSlotUnit - 1) / kSlotUnit * kSlotUnit;
    slot.bytes.reset(new (std::nothrow) std::uint8_t[room]);
    slot.room = slot.bytes ? room : 0;
    if (!slot.bytes) return false;
  }
  if (!datagram.empty()) std::memcpy(slot.bytes.get(), datagram.data(), datagram.size());
  slot.length = static_cast<std::uint32_t>(datagram.size());
  return true;
}

// The newcomer arrives in the place of the datagram that was sent before it, and that one in its.
void Flight::exchange_with_predecessor(Arrival& arrival) noexcept {
  const auto before = [&](const Arrival& other) { return other.sequence + 1 == arrival.sequence; };
  const auto predecessor = std::find_if(arrivals_.begin(), arrivals_.end(), before);
  if (predecessor != arrivals_.end()) std::swap(predecessor->slot, arrival.slot);
}

}  // namespace tunnel::transport
