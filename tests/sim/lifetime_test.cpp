// What happens to a tunnel as time goes by: rekeys, expiry, keepalives, sleep, restarts, idleness.
#include "sim/pair.h"

using namespace sim;

TEST_CASE("a day of traffic rekeys every two minutes and loses nothing", "[sim][lifetime]") {
  Faults faults;
  faults.jitter_ns = 5 * kMillisecond;
  Pair pair(3, faults);
  std::uint64_t sent = 0;
  for (std::uint64_t at = 0; at < 86'400 * kSecond; at += kSecond, ++sent) {
    pair.net.run_until(at);
    pair.net.send(pair.alice, pair.bob, sent);
    pair.net.send(pair.bob, pair.alice, sent);
  }
  pair.net.run_for(kSecond);
  CHECK(pair.alice.delivered.size() == sent);
  CHECK(pair.bob.delivered.size() == sent);
  const auto handshakes =
      pair.alice.counters().handshakes_initiated + pair.bob.counters().handshakes_initiated;
  CHECK(handshakes >= 710);
  CHECK(handshakes <= 722);
  CHECK(pair.alice.counters().sessions <= 4);
}

TEST_CASE("loss, duplication and reordering corrupt and duplicate nothing", "[sim][lifetime]") {
  Faults faults;
  faults.jitter_ns = 60 * kMillisecond;
  faults.loss_ppm = 200'000;
  faults.duplicate_ppm = 50'000;
  Pair pair(GENERATE(1u, 2u, 3u), faults);
  std::uint64_t sent = 0;
  for (std::uint64_t at = 0; at < 1'800 * kSecond; at += 50 * kMillisecond, ++sent) {
    pair.net.run_until(at);
    pair.net.send(pair.alice, pair.bob, sent, 84 + sent % 1000);
  }
  pair.net.run_for(kSecond);
  std::vector<bool> seen(sent);
  for (const auto& packet : pair.bob.delivered) {
    const auto number = number_of(packet);
    REQUIRE(number < sent);
    REQUIRE_FALSE(seen[number]);
    seen[number] = true;
    REQUIRE(packet == inside_packet(1, 2, number, 84 + number % 1000));
  }
  CHECK(pair.bob.delivered.size() > sent * 75 / 100);
  CHECK(pair.bob.drops(TUNNEL_DROP_REPLAY) > 0);
}

TEST_CASE("a handshake completes within 90 s at 20 % loss", "[sim][lifetime]") {
  Faults faults;
  faults.loss_ppm = 200'000;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Pair pair(seed, faults);
    pair.net.send(pair.alice, pair.bob, 0);
    pair.net.run_for(90 * kSecond);
    CHECK(pair.alice.count(TUNNEL_EVENT_HANDSHAKE) >= 1);
  }
}

TEST_CASE("after 200 s of sleep nothing is sent under the old key", "[sim][lifetime]") {
  Pair pair;
  pair.connect();
  pair.alice.stopped = true;
  pair.net.run_for(200 * kSecond);
  pair.alice.stopped = false;
  bool data_before_handshake = false;
  bool response_seen = false;
  pair.net.tap = [&](const Datagram& datagram) {
    if (datagram.type() == 2) response_seen = true;
    if (datagram.type() == 4 && !response_seen) data_before_handshake = true;
  };
  pair.net.send(pair.alice, pair.bob, 1);
  CHECK(pair.alice.seal_verdicts.back() == TUNNEL_VERDICT_HELD);
  pair.net.run_for(kSecond);
  CHECK_FALSE(data_before_handshake);
  CHECK(pair.bob.delivered.size() == 2);
}

TEST_CASE("a session older than 180 s opens nothing", "[sim][lifetime]") {
  Pair pair;
  Datagram late;
  pair.connect();
  pair.net.lose = [&](const Datagram& datagram) {
    if (datagram.type() != 4) return false;
    late = datagram;
    return true;
  };
  pair.net.send(pair.alice, pair.bob, 1);
  pair.net.lose = nullptr;
  pair.net.run_until(182 * kSecond);
  CHECK(pair.net.open_now(pair.bob, late) == TUNNEL_DROP_EXPIRED_KEY);
}

TEST_CASE("keys are wiped after 540 s of silence", "[sim][lifetime]") {
  Pair pair;
  pair.connect();
  pair.net.run_for(600 * kSecond);
  CHECK(pair.alice.counters().sessions == 0);
  CHECK(pair.bob.counters().sessions == 0);
  CHECK(pair.alice.count(TUNNEL_EVENT_PEER_EXPIRED) == 1);
}

TEST_CASE("an idle tunnel has no deadline", "[sim][lifetime][history]") {
  Pair pair;
  CHECK(tunnel_core_deadline(pair.alice.core()) == TUNNEL_TIME_NEVER);
  pair.connect();
  pair.net.run_for(1200 * kSecond);
  CHECK(tunnel_core_deadline(pair.alice.core()) == TUNNEL_TIME_NEVER);
  CHECK(tunnel_core_deadline(pair.bob.core()) == TUNNEL_TIME_NEVER);
}

TEST_CASE("who only receives answers with one keepalive after ten seconds", "[sim][lifetime]") {
  Pair pair;
  pair.connect();
  const auto before = pair.bob.counters().keepalives_sent;
  pair.net.run_for(8 * kSecond);
  CHECK(pair.bob.counters().keepalives_sent == before);
  pair.net.run_for(2 * kSecond);
  CHECK(pair.bob.counters().keepalives_sent == before + 1);
}

TEST_CASE("keepalives do not answer keepalives", "[sim][lifetime][history]") {
  Pair pair;
  pair.connect();
  pair.net.run_for(110 * kSecond);
  CHECK(pair.alice.counters().keepalives_sent + pair.bob.counters().keepalives_sent <= 1);
}

TEST_CASE("a persistent keepalive is sent when nothing else was", "[sim][lifetime]") {
  Pair pair;
  pair.net.add_peer(pair.alice, pair.bob, true, 25);
  pair.net.run_for(10 * kSecond);
  CHECK(pair.alice.count(TUNNEL_EVENT_HANDSHAKE) == 1);  // turning it on starts the tunnel
  const auto before = pair.alice.counters().keepalives_sent;
  pair.net.run_for(100 * kSecond);
  CHECK(pair.alice.counters().keepalives_sent - before == 4);
  const auto quiet = pair.alice.counters().keepalives_sent;
  for (int i = 0; i < 10; ++i) {  // traffic either way puts it off
    pair.net.run_for(10 * kSecond);
    pair.net.send(pair.alice, pair.bob, 1);
  }
  CHECK(pair.alice.counters().keepalives_sent - quiet <= 1);
}

TEST_CASE("15 s of silence after data start a new handshake", "[sim][lifetime]") {
  Pair pair;
  pair.connect();
  pair.bob.restart();
  pair.net.add_peer(pair.bob, pair.alice, false);
  pair.net.send(pair.alice, pair.bob, 1);
  pair.net.run_for(14 * kSecond);
  CHECK(pair.alice.counters().handshakes_initiated == 1);
  pair.net.run_for(2 * kSecond);
  CHECK(pair.alice.counters().handshakes_initiated == 2);
  pair.net.send(pair.alice, pair.bob, 2);
  pair.net.run_for(kSecond);
  CHECK(number_of(pair.bob.delivered.back()) == 2);
}

TEST_CASE("a restarted node that knows an endpoint is found again at once", "[sim][lifetime]") {
  Pair pair;
  pair.connect();
  pair.bob.restart();
  pair.net.wall_offset += 60 * kSecond;  // the stamps of a restarted node go on growing
  pair.net.add_peer(pair.bob, pair.alice);
  const auto now = pair.net.time();
  tunnel_core_initiate(pair.bob.core(), 0, &now);
  pair.net.run_for(50 * kMillisecond);
  pair.net.send(pair.alice, pair.bob, 5);
  pair.net.run_for(50 * kMillisecond);
  REQUIRE_FALSE(pair.bob.delivered.empty());
  CHECK(number_of(pair.bob.delivered.back()) == 5);
}

TEST_CASE("the rekey comes from the initiator, on sending after 120 s or receiving after 165 s",
          "[sim][lifetime]") {
  SECTION("sending") {
    Pair pair;
    pair.connect();
    pair.net.run_until(119 * kSecond);
    pair.net.send(pair.alice, pair.bob, 1);
    pair.net.send(pair.bob, pair.alice, 1);
    pair.net.run_for(kSecond / 2);
    CHECK(pair.alice.counters().handshakes_initiated == 1);
    pair.net.run_until(121 * kSecond);
    pair.net.send(pair.bob, pair.alice, 2);  // the responder does not rekey by time
    pair.net.run_for(kSecond);
    CHECK(pair.bob.counters().handshakes_initiated == 0);
    pair.net.send(pair.alice, pair.bob, 2);
    pair.net.run_for(kSecond);
    CHECK(pair.alice.counters().handshakes_initiated == 2);
  }
  SECTION("receiving") {
    Pair pair;
    pair.connect();
    pair.net.run_until(164 * kSecond);
    pair.net.send(pair.bob, pair.alice, 1);
    pair.net.run_for(kSecond / 2);
    CHECK(pair.alice.counters().handshakes_initiated == 1);
    pair.net.run_until(166 * kSecond);
    pair.net.send(pair.bob, pair.alice, 2);
    pair.net.run_for(kSecond);
    CHECK(pair.alice.counters().handshakes_initiated == 2);
  }
}

TEST_CASE("handshakes go on when the wall clock steps back", "[sim][lifetime]") {
  Pair pair;
  pair.net.wall_offset = 3600 * kSecond;
  pair.connect();
  pair.net.wall_offset = 0;
  for (int i = 1; i < 10; ++i) {
    pair.net.run_for(130 * kSecond);
    pair.net.send(pair.alice, pair.bob, static_cast<std::uint64_t>(i));
  }
  pair.net.run_for(kSecond);
  CHECK(pair.bob.delivered.size() == 10);
  CHECK(pair.bob.drops(TUNNEL_DROP_OLD_TIMESTAMP) == 0);
}
