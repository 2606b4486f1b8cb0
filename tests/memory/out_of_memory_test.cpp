// Every allocation of a tunnel's life fails once: an error or a counted drop, never a crash, and
// the tunnel works afterwards.
#include <tunnel/tunnel.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "memory/counting_allocator.h"
#include "support/catch.hpp"
#include "support/simulation.h"

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

// One host, driven without an allocation of the test's own.
struct Host {
  std::uint8_t number;
  tunnel_core* core = nullptr;
  std::array<std::uint8_t, 32> private_key{};
  std::array<std::uint8_t, 32> public_key{};
  std::uint64_t delivered = 0;
  bool sane = true;  // every status so far was one that memory explains

  explicit Host(std::uint8_t which) : number(which) {
    private_key.fill(which);
    tunnel_key_public(private_key.data(), public_key.data());
  }
  ~Host() { tunnel_core_destroy(core); }
  Host(const Host&) = delete;

  void expect(std::int32_t status) {
    sane = sane && (status == TUNNEL_OK || status == TUNNEL_ERR_MEMORY);
  }

  // Does what is not done yet, as a caller would after an error.
  void set_up(const Host& other) {
    if (core == nullptr) {
      tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
      config.staging_bytes = 4096;
      expect(tunnel_core_create(&config, &core));
      if (core == nullptr) return;
      expect(tunnel_core_set_private_key(core, private_key.data()));
    }
    std::array<tunnel_prefix, 40> prefixes{};
    for (std::size_t i = 0; i < prefixes.size(); ++i) {
      prefixes[i] = sim::prefix4(static_cast<std::uint8_t>(i), other.number);
    }
    tunnel_peer_config peer = TUNNEL_PEER_CONFIG_INIT;
    std::memcpy(peer.public_key, other.public_key.data(), sizeof peer.public_key);
    peer.fields = TUNNEL_PEER_ENDPOINT;
    peer.endpoint = sim::ipv4(other.number);
    peer.prefixes = prefixes.data();
    peer.prefix_count = prefixes.size();
    expect(tunnel_core_set_peer(core, &peer, nullptr));
  }

  std::uint64_t failures() const {
    tunnel_counters counters = TUNNEL_COUNTERS_INIT;
    tunnel_core_counters(core, &counters);
    return counters.drops[TUNNEL_DROP_EXHAUSTED - TUNNEL_DROP_FIRST];
  }
};

struct Buffer {
  std::array<std::uint8_t, 2048> bytes{};
  tunnel_packet packet{};

  Buffer() {
    packet.data = bytes.data() + 64;
    packet.room = 1900;
    packet.headroom = 64;
  }
};

void hand_over(const tunnel_packet& datagram, const Host& from, Host& to, const tunnel_time& now) {
  Buffer buffer;
  std::memcpy(buffer.packet.data, datagram.data, datagram.length);
  buffer.packet.length = datagram.length;
  buffer.packet.remote = sim::ipv4(from.number);
  to.expect(tunnel_core_open(to.core, &buffer.packet, 1, &now));
  to.delivered += buffer.packet.verdict == TUNNEL_VERDICT_DELIVER;
}

// Both hosts speak until neither has anything to say.
void run(Host& alice, Host& bob, const tunnel_time& now) {
  for (bool more = true; more;) {
    more = false;
    for (auto* host : {&alice, &bob}) {
      Buffer buffer;
      if (tunnel_core_poll(host->core, &buffer.packet, 1, 1, &now) != 1) continue;
      hand_over(buffer.packet, *host, host == &alice ? bob : alice, now);
      more = true;
    }
  }
}

void send(Host& from, Host& to, const tunnel_time& now) {
  Buffer buffer;
  std::array<std::uint8_t, 40> inside{0x45, 0, 0, 40};
  inside[12] = inside[16] = 10;
  inside[15] = from.number;
  inside[19] = to.number;
  std::memcpy(buffer.packet.data, inside.data(), inside.size());
  buffer.packet.length = static_cast<std::uint32_t>(inside.size());
  from.expect(tunnel_core_seal(from.core, &buffer.packet, 1, &now));
  if (buffer.packet.verdict == TUNNEL_VERDICT_SEND) hand_over(buffer.packet, from, to, now);
  run(from, to, now);
}

// A packet every 20 s for seven minutes: the first handshake and three rekeys.
void live(Host& alice, Host& bob, std::uint64_t from_second) {
  for (std::uint64_t second = from_second; second < from_second + 420; second += 5) {
    const tunnel_time now{second * kSecond, (1'700'000'000 + second) * kSecond};
    alice.set_up(bob);
    bob.set_up(alice);
    if (alice.core == nullptr || bob.core == nullptr) continue;
    if (second % 20 == 0) send(alice, bob, now);
    run(alice, bob, now);
  }
}

}  // namespace

TEST_CASE("wherever memory runs out once, the tunnel goes on", "[memory]") {
  std::uint64_t counted = 0;
  for (std::int64_t number = 1;; ++number) {
    CAPTURE(number);
    const auto before = allocations().bytes_in_use;
    bool failed = false, sane = false;
    std::uint64_t during = 0, afterwards = 0;
    {
      Host alice(1), bob(2);
      {
        const FailingAllocation failing(number);
        live(alice, bob, 0);
        failed = failing.happened();
      }
      during = bob.delivered;
      live(alice, bob, 420);
      afterwards = bob.delivered - during;
      counted += alice.failures() + bob.failures();
      sane = alice.sane && bob.sane;
    }
    CHECK(sane);
    CHECK(during >= 20);  // of 21: at most the packet that met the failure
    CHECK(afterwards == 21);
    CHECK(allocations().bytes_in_use == before);
    if (!failed) {
      CHECK(number > 10);
      break;
    }
  }
  CHECK(counted > 0);  // some failures hit a handshake
}
