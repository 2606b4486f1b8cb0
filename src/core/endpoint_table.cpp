#include "core/endpoint_table.h"

#include "base/base.h"

namespace tunnel::core {

namespace {

constexpr std::size_t kSmallest = 8;

std::uint64_t mixed(std::uint64_t value) noexcept {
  value *= 0x9e3779b97f4a7c15u;
  return value ^ value >> 29;
}

}  // namespace

std::size_t EndpointTable::size_for(std::size_t endpoints) const noexcept {
  auto size = places_.empty() ? kSmallest : places_.size();
  while (size < 2 * endpoints) size *= 2;
  return size;
}

std::size_t EndpointTable::growth(std::size_t endpoints) const noexcept {
  return (size_for(endpoints) - places_.size()) * sizeof(Place);
}

void EndpointTable::reserve(std::size_t endpoints) {
  const auto size = size_for(endpoints);
  if (size == places_.size()) return;
  std::vector<Place> old(size);
  old.swap(places_);
  for (const auto& place : old) insert(place.endpoint, place.slot);
}

void EndpointTable::insert(const tunnel_address& endpoint, std::uint32_t slot) noexcept {
  if (endpoint.family == TUNNEL_FAMILY_NONE) return;
  places_[position(endpoint)] = {endpoint, slot};
}

void EndpointTable::remove(const tunnel_address& endpoint) noexcept {
  if (find(endpoint) == kNobody) return;
  auto hole = position(endpoint);
  places_[hole] = {};
  // Close the gap: move back every follower that would no longer be found across it.
  for (auto at = (hole + 1) & mask(); places_[at].slot != kNobody; at = (at + 1) & mask()) {
    const auto wanted = home(places_[at].endpoint);
    if (((at - wanted) & mask()) >= ((at - hole) & mask())) {
      places_[hole] = places_[at];
      places_[at] = {};
      hole = at;
    }
  }
}

std::uint32_t EndpointTable::find(const tunnel_address& endpoint) const noexcept {
  return places_.empty() ? kNobody : places_[position(endpoint)].slot;
}

std::size_t EndpointTable::home(const tunnel_address& endpoint) const noexcept {
  const auto where = std::uint64_t{endpoint.scope} << 32 | std::uint64_t{endpoint.port} << 16 |
                     std::uint64_t{endpoint.carrier} << 8 | endpoint.family;
  auto hash = mixed(hash_key_ ^ where);
  hash = mixed(hash ^ base::load_le64(endpoint.bytes));
  hash = mixed(hash ^ base::load_le64(endpoint.bytes + 8));
  return static_cast<std::size_t>(hash >> 32) & mask();
}

// Its place, or the empty one for it.
std::size_t EndpointTable::position(const tunnel_address& endpoint) const noexcept {
  auto at = home(endpoint);
  while (places_[at].slot != kNobody && !base::same_address(places_[at].endpoint, endpoint)) {
    at = (at + 1) & mask();
  }
  return at;
}

}  // namespace tunnel::core
