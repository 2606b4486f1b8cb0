#include <algorithm>
#include <set>
#include <thread>

#include "support/udp.h"

using test::Outgoing;
using test::Slab;
using test::Transport;

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;

struct Pair {
  explicit Pair(tunnel_pair_config config = TUNNEL_PAIR_CONFIG_INIT) {
    tunnel_transport made[2];
    REQUIRE(tunnel_transport_pair(&config, made) == TUNNEL_OK);
    static_cast<tunnel_transport&>(a) = made[0];
    static_cast<tunnel_transport&>(b) = made[1];
  }

  void advance(std::uint64_t mono_ns) { REQUIRE(tunnel_transport_pair_advance(&a, mono_ns) == 0); }

  // Sends numbered datagrams from a to b.
  void send(int count, int first = 0) {
    Outgoing out;
    for (int i = 0; i < count; ++i) {
      out.add(std::to_string(first + i), TUNNEL_VERDICT_SEND, test::address("127.0.0.2", 51820));
    }
    REQUIRE(test::write(a, out) == TUNNEL_OK);
  }

  // What b can read now.
  std::vector<int> received() {
    std::vector<int> numbers;
    Slab slab;
    while (const std::int32_t count = test::read(b, slab)) {
      for (std::int32_t i = 0; i < count; ++i) {
        numbers.push_back(std::stoi(slab.text(static_cast<std::size_t>(i))));
      }
    }
    return numbers;
  }

  Transport a, b;
};

tunnel_pair_config pair_config(std::uint64_t seed) {
  tunnel_pair_config config = TUNNEL_PAIR_CONFIG_INIT;
  config.seed = seed;
  return config;
}

// What arrives of `count` datagrams, in order of arrival.
std::vector<int> fate_of(const tunnel_pair_config& config, int count) {
  Pair pair(config);
  pair.send(count);
  pair.advance(UINT64_MAX);
  return pair.received();
}

}  // namespace

TEST_CASE("a pair without faults carries datagrams at once and in order", "[transport][pair]") {
  Pair pair;
  CHECK_FALSE(test::ready(pair.b));
  pair.send(300);
  CHECK(test::ready(pair.b));
  const auto numbers = pair.received();
  CHECK(numbers.size() == 300);
  CHECK(std::is_sorted(numbers.begin(), numbers.end()));
  CHECK_FALSE(test::ready(pair.b));
}

TEST_CASE("datagrams of a pair carry the addresses of its ends", "[transport][pair]") {
  auto config = pair_config(0);
  config.addresses[1] = test::address("2001:db8::2", 777);
  Pair pair(config);
  Slab slab;
  const auto to = config.addresses[1];
  CHECK(pair.b.ops->port(pair.b.self) == 777);
  const auto sent = test::send_one(pair.a, "x", to, test::address("192.0.2.1", 0));
  CHECK(sent.verdict == TUNNEL_VERDICT_SENT);
  CHECK(sent.local.family == TUNNEL_FAMILY_NONE);
  REQUIRE(test::read(pair.b, slab) == 1);
  CHECK(test::host_text(slab.packets[0].remote) == "127.0.0.1");
  CHECK(slab.packets[0].remote.port == 51820);
  CHECK(test::host_text(slab.packets[0].local) == "2001:db8::2");
  const tunnel_packet got = slab.packets[0];
  const auto reply = test::send_one(pair.b, "y", got.remote, got.local);
  CHECK(reply.local.family == TUNNEL_FAMILY_IPV6);
  CHECK(test::read(pair.a, slab) == 1);
}

TEST_CASE("only the other end's address is reachable", "[transport][pair]") {
  Pair pair;
  for (const auto& to : {test::address("127.0.0.1", 51820), test::address("127.0.0.2", 51821),
                         test::address("::2", 51820), tunnel_address{}}) {
    CHECK(test::send_one(pair.a, "x", to).verdict == TUNNEL_DROP_UNREACHABLE);
  }
}

TEST_CASE("a delayed datagram arrives when its time has come", "[transport][pair]") {
  auto config = pair_config(1);
  config.delay_ns = 10 * kMillisecond;
  Pair pair(config);
  pair.send(2);
  pair.advance(5 * kMillisecond);
  pair.send(1, 2);
  pair.advance(10 * kMillisecond - 1);
  CHECK_FALSE(test::ready(pair.b));
  CHECK(pair.received().empty());
  pair.advance(10 * kMillisecond);
  CHECK(test::ready(pair.b));
  CHECK(pair.received() == std::vector<int>{0, 1});
  pair.advance(7 * kMillisecond);
  CHECK(pair.received().empty());
  pair.advance(15 * kMillisecond);
  CHECK(pair.received() == std::vector<int>{2});
}

TEST_CASE("the same seed means the same faults", "[transport][pair]") {
  auto config = pair_config(7);
  config.delay_ns = kMillisecond;
  config.jitter_ns = kMillisecond;
  config.loss_ppm = 100'000;
  config.duplicate_ppm = 50'000;
  config.reorder_ppm = 50'000;
  const auto first = fate_of(config, 1000);
  CHECK(first == fate_of(config, 1000));
  config.seed = 8;
  CHECK(first != fate_of(config, 1000));
}

TEST_CASE("loss takes its share", "[transport][pair]") {
  auto config = pair_config(3);
  config.loss_ppm = 200'000;
  const auto arrived = fate_of(config, 4000);
  CHECK(arrived.size() > 3050);
  CHECK(arrived.size() < 3350);
  CHECK(std::is_sorted(arrived.begin(), arrived.end()));
  config.loss_ppm = 1'000'000;
  CHECK(fate_of(config, 100).empty());
}

TEST_CASE("the duplicates come on top", "[transport][pair]") {
  auto config = pair_config(4);
  config.duplicate_ppm = 1'000'000;
  const auto arrived = fate_of(config, 100);
  CHECK(arrived.size() == 200);
  CHECK(std::set<int>(arrived.begin(), arrived.end()).size() == 100);
}

TEST_CASE("datagrams overtake their predecessors", "[transport][pair]") {
  auto config = pair_config(5);
  config.reorder_ppm = 100'000;
  auto arrived = fate_of(config, 1000);
  int overtaken = 0;
  for (std::size_t i = 1; i < arrived.size(); ++i) overtaken += arrived[i] < arrived[i - 1];
  CHECK(overtaken > 50);
  CHECK(overtaken < 150);
  std::sort(arrived.begin(), arrived.end());
  CHECK(std::adjacent_find(arrived.begin(), arrived.end()) == arrived.end());
  CHECK(arrived.size() == 1000);
}

TEST_CASE("jitter reorders within its bounds", "[transport][pair]") {
  auto config = pair_config(6);
  config.jitter_ns = kMillisecond;
  Pair pair(config);
  pair.send(200);
  pair.advance(kMillisecond);
  const auto arrived = pair.received();
  CHECK(arrived.size() == 200);
  CHECK_FALSE(std::is_sorted(arrived.begin(), arrived.end()));
}

TEST_CASE("what one end sends does not change the other's faults", "[transport][pair]") {
  auto config = pair_config(9);
  config.loss_ppm = 300'000;
  const auto alone = fate_of(config, 200);
  Pair pair(config);
  for (int i = 0; i < 200; ++i) {
    pair.send(1, i);
    test::send_one(pair.b, "back", test::address("127.0.0.1", 51820));
  }
  CHECK(pair.received() == alone);
}

TEST_CASE("a full network says WAIT and becomes writable when read", "[transport][pair]") {
  auto config = pair_config(0);
  config.capacity = 2;
  Pair pair(config);
  Outgoing out;
  for (int i = 0; i < 3; ++i) {
    out.add("x", TUNNEL_VERDICT_SEND, test::address("127.0.0.2", 51820));
  }
  REQUIRE(test::write(pair.a, out) == TUNNEL_OK);
  CHECK(out.packets[2].verdict == TUNNEL_VERDICT_WAIT);
  CHECK_FALSE(test::ready(pair.a));
  Slab slab;
  REQUIRE(test::read(pair.b, slab) == 2);
  CHECK(test::ready(pair.a));
}

// Whoever holds the datagram that waits may send others meanwhile, for which there was room.
TEST_CASE("a later write does not hide that an earlier one waits", "[transport][pair]") {
  auto config = pair_config(0);
  config.capacity = 1;
  Pair pair(config);
  const auto waits_to_write = [&] {
    std::array<tunnel_handle, 4> handles{};
    const std::int32_t count = pair.a.ops->wait(pair.a.self, handles.data(), handles.size());
    std::uint32_t events = 0;
    for (std::int32_t i = 0; i < count; ++i) events |= handles[static_cast<std::size_t>(i)].events;
    return (events & TUNNEL_WRITABLE) != 0;
  };
  Outgoing out;
  for (int i = 0; i < 2; ++i) {
    out.add("0", TUNNEL_VERDICT_SEND, test::address("127.0.0.2", 51820));
  }
  REQUIRE(test::write(pair.a, out) == TUNNEL_OK);
  CHECK(out.packets[1].verdict == TUNNEL_VERDICT_WAIT);
  REQUIRE(pair.received().size() == 1);
  pair.send(1);
  CHECK(waits_to_write());
  CHECK_FALSE(waits_to_write());
}

TEST_CASE("a datagram larger than UDP carries is dropped", "[transport][pair]") {
  Pair pair;
  Slab slab;
  const auto to = test::address("127.0.0.2", 51820);
  CHECK(test::send_one(pair.a, std::string(65'508, 'x'), to).verdict == TUNNEL_DROP_TOO_BIG);
  CHECK(test::send_one(pair.a, std::string(65'507, 'x'), to).verdict == TUNNEL_VERDICT_SENT);
  REQUIRE(test::read(pair.b, slab) == 1);
  CHECK(slab.packets[0].length == 65'507);
}

TEST_CASE("nobody notices that the other end is closed", "[transport][pair]") {
  Pair pair;
  pair.send(1);
  pair.a.close();
  CHECK(pair.received() == std::vector<int>{0});
  const auto sent = test::send_one(pair.b, "x", test::address("127.0.0.1", 51820));
  CHECK(sent.verdict == TUNNEL_VERDICT_SENT);
  REQUIRE(tunnel_transport_pair_advance(&pair.b, 1) == TUNNEL_OK);
}

TEST_CASE("the ends of a network may live on two threads", "[transport][pair]") {
  constexpr int kDatagrams = 20'000;
  auto config = pair_config(11);
  config.capacity = 16;
  Pair pair(config);
  std::thread writer([&] {
    for (int next = 0; next < kDatagrams;) {
      Outgoing out;
      out.add(std::to_string(next), TUNNEL_VERDICT_SEND, test::address("127.0.0.2", 51820));
      pair.a.ops->write(pair.a.self, out.packets.data(), 1);
      if (out.packets[0].verdict == TUNNEL_VERDICT_SENT) ++next;
      if (out.packets[0].verdict == TUNNEL_VERDICT_WAIT) test::ready(pair.a, test::kPatience_ms);
    }
  });
  int expected = 0;
  bool in_order = true;
  Slab slab;
  while (expected < kDatagrams) {
    test::ready(pair.b, test::kPatience_ms);
    const std::int32_t count = test::read(pair.b, slab);
    for (std::int32_t i = 0; i < count; ++i) {
      in_order = in_order && slab.text(static_cast<std::size_t>(i)) == std::to_string(expected++);
    }
  }
  writer.join();
  CHECK(in_order);
}

TEST_CASE("wishes that a pair does not know are refused", "[transport][pair]") {
  tunnel_transport ends[2];
  auto config = pair_config(0);
  config.loss_ppm = 1'000'001;
  CHECK(tunnel_transport_pair(&config, ends) == TUNNEL_ERR_ARGUMENT);
  config = pair_config(0);
  config.addresses[0].family = TUNNEL_FAMILY_LINK;
  CHECK(tunnel_transport_pair(&config, ends) == TUNNEL_ERR_ARGUMENT);
  CHECK(tunnel_transport_pair(nullptr, ends) == TUNNEL_ERR_ARGUMENT);
  test::UdpPair udp;
  CHECK(tunnel_transport_pair_advance(&udp.a, 1) == TUNNEL_ERR_ARGUMENT);
}
