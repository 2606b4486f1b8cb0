// pair.h — two nodes that know each other, as most simulations need them.
#pragma once

#include "support/catch.hpp"
#include "support/simulation.h"

namespace sim {

struct Pair {
  Simulation net;
  Node& alice;
  Node& bob;

  explicit Pair(std::uint64_t seed = 1, Faults faults = {})
      : net(seed, faults), alice(net.add(1)), bob(net.add(2)) {
    net.join(alice, bob);
  }
  // A session, started by alice; one packet (number 0) has arrived at bob.
  void connect() {
    net.send(alice, bob, 0);
    net.run_for(kSecond);
    REQUIRE(bob.delivered.size() == 1);
  }
  // The next datagram of this type from alice to bob, taken off the network.
  Datagram capture(std::uint8_t type, std::uint64_t number = 1) {
    Datagram caught;
    net.lose = [&](const Datagram& datagram) {
      if (datagram.type() != type || !caught.bytes.empty()) return false;
      caught = datagram;
      return true;
    };
    net.send(alice, bob, number);
    net.run_for(50 * kMillisecond);
    net.lose = nullptr;
    REQUIRE(caught.type() == type);
    return caught;
  }
};

inline std::uint64_t id_of(const Node& node, const Node& peer) {
  std::uint64_t id = 0;
  tunnel_core_find_peer(node.core(), peer.public_key(), &id);
  return id;
}

inline tunnel_peer_info info_of(const Node& node, const Node& peer) {
  tunnel_peer_info info = TUNNEL_PEER_INFO_INIT;
  tunnel_core_get_peer(node.core(), id_of(node, peer), &info);
  return info;
}

}  // namespace sim
