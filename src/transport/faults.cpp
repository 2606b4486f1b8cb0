#include "transport/faults.h"

namespace tunnel::transport {

Faults::Faults(const tunnel_pair_config& config, std::size_t direction) noexcept
    : config_(config), state_(config.seed) {
  // Each direction begins at a place of its own in the generator's one long period.
  state_ = random() + direction * 0x5851f42d4c957f2d;
}

Fate Faults::next() noexcept {
  Fate fate{};
  fate.lost = happens(config_.loss_ppm);
  fate.duplicated = happens(config_.duplicate_ppm);
  fate.overtakes = happens(config_.reorder_ppm);
  fate.delay_ns = {delay(), delay()};
  return fate;
}

// SplitMix64 (Steele, Lea and Flood, 2014): any seed is a good one.
std::uint64_t Faults::random() noexcept {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

bool Faults::happens(std::uint32_t per_million) noexcept {
  return random() % 1'000'000 < per_million;
}

std::uint64_t Faults::delay() noexcept {
  const std::uint64_t value = random();
  const std::uint64_t jitter = config_.jitter_ns;
  return config_.delay_ns + (jitter == UINT64_MAX ? value : value % (jitter + 1));
}

}  // namespace tunnel::transport
