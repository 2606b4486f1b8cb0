// Which datagrams leave together, against a slow and obvious reading of the rules.
#include "transport/train.h"

#include <map>
#include <random>
#include <vector>

#include "support/udp.h"

using tunnel::transport::kTrainBytes;
using tunnel::transport::kTrainDatagrams;
using tunnel::transport::Train;
using tunnel::transport::TrainLimits;
using tunnel::transport::TrainPlan;

namespace {

struct Spec {
  std::uint32_t length;
  std::uint16_t to = 1;
  std::uint8_t from = 0;
};

std::vector<tunnel_packet> packets_of(const std::vector<Spec>& specs) {
  std::vector<tunnel_packet> packets;
  for (const auto& spec : specs) {
    tunnel_packet packet{};
    packet.length = spec.length;
    packet.remote = test::address("192.0.2.1", spec.to);
    if (spec.from != 0) packet.local = test::address("192.0.2.2", 0, spec.from);
    packet.user = packets.size();
    packets.push_back(packet);
  }
  return packets;
}

using Plan = std::vector<std::vector<std::uint64_t>>;  // packet numbers by train

Plan plan(std::vector<tunnel_packet>& packets, TrainLimits& limits) {
  TrainPlan planned;
  for (auto& packet : packets) planned.add(packet, limits);
  Plan trains;
  planned.for_each([&](Train train) {
    trains.emplace_back();
    for (const auto* packet : train) trains.back().push_back(packet->user);
  });
  return trains;
}

std::vector<std::size_t> sizes(const std::vector<Spec>& specs) {
  TrainLimits limits;
  auto packets = packets_of(specs);
  std::vector<std::size_t> counts;
  for (const auto& train : plan(packets, limits)) counts.push_back(train.size());
  return counts;
}

bool is_train(const std::vector<tunnel_packet>& packets, const std::vector<std::uint64_t>& train) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < train.size(); ++i) {
    const auto& first = packets[train[0]];
    const auto& packet = packets[train[i]];
    bytes += packet.length;
    if (train.size() > 1 && packet.length == 0) return false;
    if (packet.length > first.length) return false;
    if (packet.length < first.length && i + 1 != train.size()) return false;
    if (packet.remote.port != first.remote.port) return false;
    if (packet.local.scope != first.local.scope) return false;
  }
  return train.size() == 1 || (train.size() <= kTrainDatagrams && bytes <= kTrainBytes);
}

}  // namespace

TEST_CASE("equal datagrams leave in even trains", "[transport][train]") {
  using Sizes = std::vector<std::size_t>;
  const auto equal = [](std::size_t count, std::uint32_t length) {
    return sizes(std::vector<Spec>(count, Spec{length}));
  };
  CHECK(equal(1, 1452) == Sizes{1});
  CHECK(equal(2, 1452) == Sizes{2});
  CHECK(equal(45, 1452) == Sizes{45});
  CHECK(equal(46, 1452) == Sizes{23, 23});
  CHECK(equal(47, 1452) == Sizes{24, 23});
  CHECK(equal(94, 1452) == Sizes{32, 31, 31});
  CHECK(equal(128, 1452) == Sizes{43, 43, 42});
  CHECK(equal(128, 96) == Sizes{43, 43, 42});
  CHECK(equal(64, 1) == Sizes{32, 32});
  CHECK(equal(3, 32'753) == Sizes{2, 1});
  CHECK(equal(3, 32'754) == Sizes{1, 1, 1});
  CHECK(equal(2, 65'508) == Sizes{1, 1});
  CHECK(equal(3, 0) == Sizes{1, 1, 1});
}

TEST_CASE("a train ends with a shorter datagram", "[transport][train]") {
  using Sizes = std::vector<std::size_t>;
  CHECK(sizes({{1452}, {1452}, {80}, {1452}, {1452}}) == Sizes{3, 2});
  CHECK(sizes({{80}, {1452}, {1452}}) == Sizes{1, 2});
  CHECK(sizes({{80}, {79}, {79}, {79}}) == Sizes{2, 2});
  CHECK(sizes({{80}, {0}, {80}}) == Sizes{1, 1, 1});
}

TEST_CASE("a train has one destination and one source", "[transport][train]") {
  TrainLimits limits;
  auto to_three = packets_of({{80, 1}, {80, 2}, {80, 1}, {80, 3}, {80, 2}, {80, 1}});
  CHECK(plan(to_three, limits) == Plan{{0, 2, 5}, {1, 4}, {3}});
  auto from_two = packets_of({{80, 1, 1}, {80, 1, 2}, {80, 1, 2}, {80, 1}});
  CHECK(plan(from_two, limits).size() == 3);
}

TEST_CASE("trains keep the order of every destination, whatever comes", "[transport][train]") {
  std::mt19937 random(20261121);
  for (int round = 0; round < 3000; ++round) {
    std::vector<Spec> specs(1 + random() % TrainPlan::kPackets);
    const std::uint32_t lengths[] = {
        1452, 1452, 1452, 80, 96, 0, 40'000, static_cast<std::uint32_t>(1 + random() % 65535)};
    const auto ways = static_cast<std::uint16_t>(1 + random() % (round % 3 == 0 ? 200 : 4));
    for (auto& spec : specs) {
      spec = {lengths[random() % (round % 2 == 0 ? 3 : 8)],
              static_cast<std::uint16_t>(1 + random() % ways),
              static_cast<std::uint8_t>(round % 5 == 0 ? random() % 2 : 0)};
    }
    TrainLimits limits;
    auto packets = packets_of(specs);
    const Plan trains = plan(packets, limits);
    std::map<std::uint16_t, std::uint64_t> last;  // by destination: one above the last packet
    std::size_t seen = 0;
    for (const auto& train : trains) {
      REQUIRE(is_train(packets, train));
      for (const auto number : train) {
        auto& before = last[packets[number].remote.port];
        REQUIRE(number + 1 > before);
        before = number + 1;
        ++seen;
      }
    }
    REQUIRE(seen == packets.size());
  }
}

TEST_CASE("an endpoint that refuses long trains still gets short ones", "[transport][train]") {
  TrainLimits limits;
  auto packets =
      packets_of({{1452, 1}, {1452, 1}, {80, 2}, {1452, 2}, {1452, 2}, {80, 1}, {80, 1}});
  limits.lower(packets[0].remote, 1451);
  CHECK(plan(packets, limits) == Plan{{0}, {1}, {2}, {3, 4}, {5, 6}});
  limits.lower(packets[0].remote, 0);
  CHECK(plan(packets, limits) == Plan{{0}, {1}, {2}, {3, 4}, {5}, {6}});
  limits.forget();
  CHECK(plan(packets, limits) == Plan{{0, 1, 5}, {2}, {3, 4}, {6}});
  limits.allow(false);
  CHECK(plan(packets, limits).size() == packets.size());
}

TEST_CASE("an endpoint that refused trains is tried again in the end", "[transport][train]") {
  TrainLimits limits;
  const auto there = test::address("2001:db8::1", 51820);
  limits.lower(there, 0);
  for (int i = 0; i < TrainLimits::kPatience; ++i) REQUIRE(limits.longest(there) == 0);
  CHECK(limits.longest(there) == TrainLimits::kNoLimit);
}
