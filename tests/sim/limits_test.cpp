// A core at the limits it was created with: it goes on, refuses by name, and keeps to its order.
#include "sim/pair.h"

using namespace sim;

TEST_CASE("a core with room for few sessions rekeys for ever", "[sim][limits]") {
  for (const std::uint32_t sessions : {0u, 2u}) {  // 0: what one peer gets by default
    CAPTURE(sessions);
    Simulation net;
    Node::Options options;
    options.number = 1;
    options.config.max_peers = 1;
    options.config.max_sessions = sessions;
    auto& alice = net.add(options);
    options.number = 2;
    auto& bob = net.add(options);
    net.join(alice, bob);
    std::uint64_t sent = 0;
    for (; sent < 360; ++sent) {
      net.send(alice, bob, sent);
      net.run_for(5 * kSecond);
    }
    CHECK(bob.delivered.size() == sent);
    CHECK(alice.drops(TUNNEL_DROP_EXHAUSTED) + bob.drops(TUNNEL_DROP_EXHAUSTED) == 0);
  }
}

TEST_CASE("sessions that are too old to open anything are given back at the next rekey",
          "[sim][limits]") {
  Pair pair;
  for (int i = 0; i < 200; ++i) {
    pair.net.send(pair.alice, pair.bob, 0);
    pair.net.run_for(5 * kSecond);
  }
  CHECK(pair.alice.counters().sessions <= 2);
  CHECK(pair.bob.counters().sessions <= 2);
}
