// Seal and open in three steps: whatever happens between plan and commit, each packet is decided
// once, in order, and nothing is used that is gone.
#include <array>
#include <deque>

#include "sim/pair.h"

using namespace sim;

namespace {

// Packets whose cipher has not run yet, with their buffers.
struct Batch {
  explicit Batch(std::size_t count) : bytes(count), packets(count), jobs(count) {}

  std::vector<std::array<std::uint8_t, 256>> bytes;
  std::vector<tunnel_packet> packets;
  std::vector<tunnel_aead_job> jobs;
  std::int32_t planned = 0;
};

tunnel_cipher cipher() {
  tunnel_cipher found{};
  REQUIRE(tunnel_cipher_find(nullptr, &found) == TUNNEL_OK);
  return found;
}

// Numbered packets from one node to another, planned.
std::unique_ptr<Batch> plan_seal(Pair& pair, std::uint64_t first, std::size_t count) {
  auto batch = std::make_unique<Batch>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto inside = inside_packet(1, 2, first + i);
    std::copy(inside.begin(), inside.end(), batch->bytes[i].begin() + 16);
    auto& packet = batch->packets[i];
    packet.data = &batch->bytes[i][16];
    packet.length = static_cast<std::uint32_t>(inside.size());
    packet.room = 240;
    packet.headroom = 16;
  }
  const auto now = pair.net.time();
  batch->planned = tunnel_core_seal_plan(pair.alice.core(), batch->packets.data(), count,
                                         batch->jobs.data(), &now);
  REQUIRE(batch->planned >= 0);
  return batch;
}

void crypt_and_commit_seal(Pair& pair, Batch& batch) {
  const auto table = cipher();
  table.ops->seal(table.self, batch.jobs.data(), static_cast<std::size_t>(batch.planned));
  const auto now = pair.net.time();
  REQUIRE(tunnel_core_seal_commit(pair.alice.core(), batch.packets.data(), batch.packets.size(),
                                  batch.jobs.data(), &now) == TUNNEL_OK);
}

// What was sealed, as bob receives it: planned.
void plan_open(Pair& pair, Batch& batch) {
  for (auto& packet : batch.packets) {
    packet.remote = pair.alice.address;
    packet.local = {};
  }
  const auto now = pair.net.time();
  batch.planned = tunnel_core_open_plan(pair.bob.core(), batch.packets.data(), batch.packets.size(),
                                        batch.jobs.data(), &now);
  REQUIRE(batch.planned >= 0);
}

void crypt_open(Batch& batch) {
  const auto table = cipher();
  table.ops->open(table.self, batch.jobs.data(), static_cast<std::size_t>(batch.planned));
}

void commit_open(Pair& pair, Batch& batch) {
  const auto now = pair.net.time();
  REQUIRE(tunnel_core_open_commit(pair.bob.core(), batch.packets.data(), batch.packets.size(),
                                  batch.jobs.data(), &now) == TUNNEL_OK);
}

bool all_are(const Batch& batch, std::int32_t verdict) {
  return std::all_of(batch.packets.begin(), batch.packets.end(),
                     [&](const tunnel_packet& packet) { return packet.verdict == verdict; });
}

std::uint64_t number_of(const tunnel_packet& packet) {
  return sim::number_of(Bytes(packet.data, packet.data + packet.length));
}

}  // namespace

TEST_CASE("many batches may be under way at once, and all arrive in order", "[sim][steps]") {
  Pair pair;
  pair.connect();
  std::deque<std::unique_ptr<Batch>> sealing;
  for (std::uint64_t i = 0; i < 20; ++i) sealing.push_back(plan_seal(pair, 1 + i * 30, 30));
  // The cipher may run in any order, the commits in that of the plans.
  std::uint64_t expected = 1;
  for (auto& batch : sealing) {
    crypt_and_commit_seal(pair, *batch);
    REQUIRE(all_are(*batch, TUNNEL_VERDICT_SEND));
    plan_open(pair, *batch);
    REQUIRE(batch->planned == 30);
  }
  for (auto batch = sealing.rbegin(); batch != sealing.rend(); ++batch) crypt_open(**batch);
  for (auto& batch : sealing) {
    commit_open(pair, *batch);
    REQUIRE(all_are(*batch, TUNNEL_VERDICT_DELIVER));
    for (const auto& packet : batch->packets) REQUIRE(number_of(packet) == expected++);
  }
}

TEST_CASE("a datagram that is twice under way is delivered once", "[sim][steps]") {
  Pair pair;
  pair.connect();
  auto first = plan_seal(pair, 1, 1);
  crypt_and_commit_seal(pair, *first);
  auto again = std::make_unique<Batch>(1);
  again->bytes = first->bytes;
  again->packets = first->packets;
  again->packets[0].data = again->bytes[0].data();
  for (auto* batch : {first.get(), again.get()}) plan_open(pair, *batch);
  for (auto* batch : {again.get(), first.get()}) crypt_open(*batch);
  for (auto* batch : {first.get(), again.get()}) commit_open(pair, *batch);
  CHECK(first->packets[0].verdict == TUNNEL_VERDICT_DELIVER);
  CHECK(again->packets[0].verdict == TUNNEL_DROP_REPLAY);
}

TEST_CASE("what needs no cipher is decided by plan, and commit leaves it alone", "[sim][steps]") {
  Pair pair;
  auto staged = plan_seal(pair, 0, 3);  // there is no session yet
  CHECK(staged->planned == 0);
  CHECK(all_are(*staged, TUNNEL_VERDICT_HELD));
  crypt_and_commit_seal(pair, *staged);
  CHECK(all_are(*staged, TUNNEL_VERDICT_HELD));
  pair.net.run_for(kSecond);
  REQUIRE(pair.bob.delivered.size() == 3);

  auto mixed = plan_seal(pair, 3, 3);
  mixed->packets[1].data[16] = 192;
  auto bad = std::make_unique<Batch>(3);
  bad->bytes = mixed->bytes;
  bad->packets = mixed->packets;
  for (std::size_t i = 0; i < 3; ++i) bad->packets[i].data = &bad->bytes[i][16];
  const auto now = pair.net.time();
  bad->planned =
      tunnel_core_seal_plan(pair.alice.core(), bad->packets.data(), 3, bad->jobs.data(), &now);
  CHECK(bad->planned == 2);
  CHECK(bad->packets[1].verdict == TUNNEL_DROP_NO_PEER);
  crypt_and_commit_seal(pair, *mixed);
  crypt_and_commit_seal(pair, *bad);
  CHECK(bad->packets[0].verdict == TUNNEL_VERDICT_SEND);
  CHECK(bad->packets[1].verdict == TUNNEL_DROP_NO_PEER);
  CHECK(bad->packets[2].verdict == TUNNEL_VERDICT_SEND);
}

TEST_CASE("sessions that are given up between plan and commit stay until then", "[sim][steps]") {
  enum class Way { forget, remove, new_key };
  for (const auto way : {Way::forget, Way::remove, Way::new_key}) {
    CAPTURE(static_cast<int>(way));
    Pair pair;
    pair.connect();
    auto sealed = plan_seal(pair, 1, 10);
    crypt_and_commit_seal(pair, *sealed);
    plan_open(pair, *sealed);
    auto sealing = plan_seal(pair, 11, 10);
    for (auto* node : {&pair.alice, &pair.bob}) {
      const auto& peer = node == &pair.alice ? pair.bob : pair.alice;
      const std::array<std::uint8_t, 32> key{9};
      if (way == Way::forget) tunnel_core_forget_sessions(node->core());
      if (way == Way::remove) tunnel_core_remove_peer(node->core(), id_of(*node, peer));
      if (way == Way::new_key) tunnel_core_set_private_key(node->core(), key.data());
      CHECK(node->counters().sessions == 1);  // in memory, for its jobs
    }
    crypt_open(*sealed);
    commit_open(pair, *sealed);
    crypt_and_commit_seal(pair, *sealing);
    CHECK(all_are(*sealed, TUNNEL_DROP_EXPIRED_KEY));
    CHECK(all_are(*sealing, TUNNEL_DROP_EXPIRED_KEY));
    CHECK(pair.alice.counters().sessions == 0);
    CHECK(pair.bob.counters().sessions == 0);
  }
}

TEST_CASE("rekeys while packets are under way lose none", "[sim][steps]") {
  Pair pair;
  pair.connect();
  std::uint64_t sent = 1;
  std::uint64_t delivered = 1;
  for (int minute = 0; minute < 30; ++minute) {
    auto batch = plan_seal(pair, sent, 5);
    sent += 5;
    pair.net.run_for(minute % 2 == 0 ? 61 * kSecond : kSecond);
    crypt_and_commit_seal(pair, *batch);
    REQUIRE(all_are(*batch, TUNNEL_VERDICT_SEND));
    plan_open(pair, *batch);
    pair.net.run_for(2 * kSecond);  // what commit asked for: rekeys, answers
    crypt_open(*batch);
    commit_open(pair, *batch);
    REQUIRE(all_are(*batch, TUNNEL_VERDICT_DELIVER));
    delivered += 5;
    pair.net.run_for(58 * kSecond);
    pair.net.send(pair.alice, pair.bob, 0);  // so that a session is there when it goes on
    pair.net.run_for(kSecond);
  }
  CHECK(delivered == sent);
  CHECK(pair.alice.count(TUNNEL_EVENT_HANDSHAKE) > 10);
}

TEST_CASE("the arguments of the steps are checked", "[sim][steps]") {
  Pair pair;
  const auto now = pair.net.time();
  tunnel_packet packet{};
  tunnel_aead_job job{};
  auto* core = pair.alice.core();
  for (const auto plan : {tunnel_core_seal_plan, tunnel_core_open_plan}) {
    CHECK(plan(nullptr, &packet, 1, &job, &now) == TUNNEL_ERR_ARGUMENT);
    CHECK(plan(core, nullptr, 1, &job, &now) == TUNNEL_ERR_ARGUMENT);
    CHECK(plan(core, &packet, 1, nullptr, &now) == TUNNEL_ERR_ARGUMENT);
    CHECK(plan(core, &packet, 1, &job, nullptr) == TUNNEL_ERR_ARGUMENT);
    CHECK(plan(core, nullptr, 0, nullptr, &now) == 0);
  }
  for (const auto commit : {tunnel_core_seal_commit, tunnel_core_open_commit}) {
    CHECK(commit(nullptr, &packet, 1, &job, &now) == TUNNEL_ERR_ARGUMENT);
    CHECK(commit(core, nullptr, 1, &job, &now) == TUNNEL_ERR_ARGUMENT);
    CHECK(commit(core, &packet, 1, nullptr, &now) == TUNNEL_ERR_ARGUMENT);
    CHECK(commit(core, &packet, 1, &job, nullptr) == TUNNEL_ERR_ARGUMENT);
    CHECK(commit(core, nullptr, 0, nullptr, &now) == TUNNEL_OK);
  }
}
