#include "transport/train_limits.h"

#include <algorithm>
#include <cstring>

namespace tunnel::transport {

TrainLimits::Key TrainLimits::key_of(const tunnel_address& remote) noexcept {
  std::array<std::uint64_t, 3> words;
  static_assert(sizeof words == sizeof remote);
  std::memcpy(words.data(), &remote, sizeof words);
  std::uint64_t mixed = 0;
  for (const std::uint64_t word : words) {
    mixed = (mixed ^ word) * 0x9e3779b97f4a7c15u;
    mixed ^= mixed >> 32;
  }
  return {mixed % std::tuple_size_v<decltype(places_)>, static_cast<std::uint32_t>(mixed >> 32)};
}

std::size_t TrainLimits::longest(const tunnel_address& remote) noexcept {
  if (!allowed_) return 0;
  const Key key = key_of(remote);
  Place& place = places_[key.place];
  if (place.patience == 0 || place.endpoint != key.endpoint) return kNoLimit;
  --place.patience;
  return place.longest;
}

void TrainLimits::lower(const tunnel_address& remote, std::size_t longest) noexcept {
  const Key key = key_of(remote);
  const auto most = static_cast<std::uint16_t>(std::min<std::size_t>(longest, UINT16_MAX));
  places_[key.place] = {key.endpoint, most, kPatience};
}

}  // namespace tunnel::transport
