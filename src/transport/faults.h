// faults.h — what befalls a datagram on a bad network, decided by a seed alone.
#pragma once

#include <tunnel/transport.h>

#include <array>
#include <cstdint>

namespace tunnel::transport {

struct Fate {
  bool lost;
  bool duplicated;
  bool overtakes;                         // the datagram sent before it, if that is still under way
  std::array<std::uint64_t, 2> delay_ns;  // of the datagram and of its duplicate
};

// One generator per direction, so that what one end sends does not change the other's fortune.
// Every datagram takes the same number of random values: switching one fault on or off leaves the
// decisions about the others as they were.
class Faults {
 public:
  Faults(const tunnel_pair_config& config, std::size_t direction) noexcept;

  Fate next() noexcept;

 private:
  std::uint64_t random() noexcept;
  bool happens(std::uint32_t per_million) noexcept;
  std::uint64_t delay() noexcept;

  tunnel_pair_config config_;
  std::uint64_t state_;
};

}  // namespace tunnel::transport
