// train_limits.h — remembers which endpoints take no trains.
//
// A route may refuse what it would take singly: IPsec on the way (EIO), a card without checksum
// offload on an old kernel (EIO), a path whose MTU is below the datagrams (EMSGSIZE, formerly
// EINVAL), which are then sent as fragments. Asked for each datagram that does not join a train, so
// a place is found by a hash alone; endpoints that share a place only evict each other.
#pragma once

#include <array>
#include <cstdint>

#include "base/base.h"

namespace tunnel::transport {

class TrainLimits {
 public:
  static constexpr std::size_t kNoLimit = SIZE_MAX;
  // Routes change unseen: the MTU of a path grows again, IPsec ends. After so many datagrams sent
  // singly one more train is tried.
  static constexpr std::uint16_t kPatience = 50'000;

  // Without it nothing leaves in trains.
  void allow(bool trains) noexcept { allowed_ = trains; }

  // The longest datagram that may leave in a train to `remote`; 0 = none.
  [[nodiscard]] std::size_t longest(const tunnel_address& remote) noexcept;

  // A train to `remote` was refused while its datagrams pass singly: from now on only shorter ones
  // than `longest` go in trains.
  void lower(const tunnel_address& remote, std::size_t longest) noexcept;

  // The network has changed: what was learnt may be wrong.
  void forget() noexcept { places_.fill({}); }

 private:
  struct Place {
    std::uint32_t endpoint;  // part of a hash
    std::uint16_t longest;
    std::uint16_t patience;  // 0: nothing is known
  };
  struct Key {
    std::size_t place;
    std::uint32_t endpoint;
  };
  static Key key_of(const tunnel_address& remote) noexcept;

  bool allowed_ = true;
  std::array<Place, 1024> places_{};
};

}  // namespace tunnel::transport
