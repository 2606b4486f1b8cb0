#include "core/staging.h"

#include <array>
#include <deque>
#include <random>
#include <vector>

#include "support/catch.hpp"

using tunnel::core::Staging;

namespace {

using Packet = std::vector<std::uint8_t>;

Packet packet(std::uint8_t fill, std::size_t size) {
  return Packet(size, fill);
}

std::uint32_t push(Staging& staging, Staging::Queue& queue, const Packet& packet) {
  std::uint32_t dropped = 0;
  REQUIRE(staging.push(queue, packet, dropped));
  return dropped;
}

Packet pop(Staging& staging, Staging::Queue& queue) {
  Packet out(staging.front_length(queue));
  staging.pop(queue, out.data());
  return out;
}

}  // namespace

TEST_CASE("packets come out as they went in, of any length", "[core][staging]") {
  Staging staging(1 << 16);
  auto queue = Staging::kNone;
  for (const std::size_t size : {0u, 1u, 255u, 256u, 257u, 512u, 1420u, 9000u}) {
    CHECK(push(staging, queue, packet(7, size)) == 0);
    CHECK(pop(staging, queue) == packet(7, size));
    CHECK(queue == Staging::kNone);
  }
  CHECK(staging.packets() == 0);
}

TEST_CASE("the 129th packet of a peer pushes out its first", "[core][staging]") {
  Staging staging(1 << 20);
  auto queue = Staging::kNone;
  for (int i = 0; i < 128; ++i)
    CHECK(push(staging, queue, packet(static_cast<std::uint8_t>(i), 60)) == 0);
  CHECK(push(staging, queue, packet(200, 60)) == 1);
  CHECK(pop(staging, queue)[0] == 1);
  CHECK(staging.count(queue) == 127);
}

TEST_CASE("when the pool is full the peer that holds most loses its oldest", "[core][staging]") {
  Staging staging(10 * 256);
  auto greedy = Staging::kNone;
  auto modest = Staging::kNone;
  for (int i = 0; i < 10; ++i) push(staging, greedy, packet(static_cast<std::uint8_t>(i), 100));
  CHECK(push(staging, modest, packet(99, 100)) == 1);
  CHECK(staging.count(greedy) == 9);
  CHECK(pop(staging, greedy)[0] == 1);
  CHECK(pop(staging, modest)[0] == 99);
}

TEST_CASE("a peer that lost its last packet holds nothing of the pool", "[core][staging]") {
  Staging staging(4 * 256);
  std::array<Staging::Queue, 20> queues;
  queues.fill(Staging::kNone);
  for (std::size_t i = 0; i < queues.size(); ++i) {
    CHECK(push(staging, queues[i], packet(static_cast<std::uint8_t>(i), 1024)) == (i > 0 ? 1 : 0));
    if (i > 0) CHECK(queues[i - 1] == Staging::kNone);
  }
  CHECK(push(staging, queues.back(), packet(99, 1024)) == 1);  // its own oldest gives way, too
  CHECK(pop(staging, queues.back()) == packet(99, 1024));
}

TEST_CASE("a packet larger than the pool is refused, and so is everything without pool",
          "[core][staging]") {
  Staging small(512);
  auto queue = Staging::kNone;
  std::uint32_t dropped = 0;
  CHECK_FALSE(small.push(queue, packet(1, 513), dropped));
  CHECK(small.enabled());
  Staging none(0);
  CHECK_FALSE(none.enabled());
  CHECK_FALSE(none.push(queue, packet(1, 10), dropped));
}

TEST_CASE("staging behaves as a list of lists under random use", "[core][staging]") {
  constexpr std::size_t kPeers = 20;
  Staging staging(64 * 256);
  std::vector<Staging::Queue> queues(kPeers, Staging::kNone);
  std::vector<std::deque<Packet>> model(kPeers);
  std::mt19937 random(1);
  for (int step = 0; step < 100'000; ++step) {
    const auto peer = random() % kPeers;
    const auto action = random() % 10;
    if (action < 6) {
      const auto content = packet(static_cast<std::uint8_t>(step), random() % 700);
      const auto dropped = push(staging, queues[peer], content);
      model[peer].push_back(content);
      // Which queue lost packets is checked by counting: its front moved.
      std::uint32_t lost = 0;
      for (std::size_t i = 0; i < kPeers; ++i) {
        while (model[i].size() > staging.count(queues[i])) model[i].pop_front(), ++lost;
      }
      REQUIRE(lost == dropped);
    } else if (action < 9 && !staging.empty(queues[peer])) {
      REQUIRE(pop(staging, queues[peer]) == model[peer].front());
      model[peer].pop_front();
    } else if (action == 9) {
      REQUIRE(staging.clear(queues[peer]) == model[peer].size());
      model[peer].clear();
    }
  }
  std::size_t left = 0;
  for (const auto& list : model) left += list.size();
  CHECK(staging.packets() == left);
}
