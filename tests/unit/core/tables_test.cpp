#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "core/deadline_queue.h"
#include "core/event_queue.h"
#include "core/index_table.h"
#include "core/initiation_queue.h"
#include "core/keyring.h"
#include "core/peer_table.h"
#include "core/slab.h"
#include "support/catch.hpp"

using namespace tunnel::core;

namespace {

tunnel::protocol::PublicKey key_of(std::uint32_t number) {
  tunnel::protocol::PublicKey key{};
  tunnel::base::store_be32(key.data(), number * 2654435761u);
  tunnel::base::store_be32(key.data() + 4, number);
  return key;
}

template <class Link>
struct Links {
  std::vector<Link>& links;
  Link& operator()(std::uint32_t slot) { return links[slot]; }
};

}  // namespace

TEST_CASE("the deadline queue gives the earliest, as a sorted map would", "[core][deadlines]") {
  std::vector<DeadlineLink> links(64);
  DeadlineQueue<Links<DeadlineLink>> queue({links});
  queue.reserve(64);
  std::map<std::uint32_t, std::uint64_t> model;
  std::mt19937 random(3);
  for (int step = 0; step < 100'000; ++step) {
    const auto slot = static_cast<std::uint32_t>(random() % 64);
    const std::uint64_t when = random() % 1000;
    switch (random() % 3) {
      case 0:
        queue.bring_forward(slot, when);
        model[slot] = model.count(slot) == 0 ? when : std::min(model[slot], when);
        break;
      case 1:
        if (model.count(slot) == 0) break;
        queue.move(slot, when);
        model[slot] = when;
        break;
      default:
        queue.remove(slot);
        model.erase(slot);
    }
    REQUIRE(queue.empty() == model.empty());
    auto earliest = UINT64_MAX;
    for (const auto& [_, at] : model) earliest = std::min(earliest, at);
    REQUIRE(queue.earliest() == earliest);
    if (!model.empty()) REQUIRE(model.at(queue.earliest_slot()) == earliest);
  }
}

TEST_CASE("the initiation queue keeps the order of asking, as a deque would",
          "[core][initiations]") {
  std::vector<InitiationLink> links(16);
  InitiationQueue<Links<InitiationLink>> queue({links});
  std::deque<std::uint32_t> model;
  std::mt19937 random(4);
  for (int step = 0; step < 100'000; ++step) {
    const auto slot = static_cast<std::uint32_t>(random() % links.size());
    const auto known = std::find(model.begin(), model.end(), slot);
    switch (random() % 3) {
      case 0:
        queue.push(slot);
        if (known == model.end()) model.push_back(slot);
        break;
      case 1:
        queue.remove(slot);
        if (known != model.end()) model.erase(known);
        break;
      default:
        if (model.empty()) break;
        REQUIRE(queue.pop() == model.front());
        model.pop_front();
    }
    REQUIRE(queue.empty() == model.empty());
    REQUIRE(links[slot].queued == (std::find(model.begin(), model.end(), slot) != model.end()));
  }
}

TEST_CASE("indices are found while they live and random all over", "[core][indices]") {
  IndexTable table;
  const std::array<std::uint8_t, 32> seed{7};
  tunnel::cipher::Random random{tunnel::base::BytesOf<32>(seed)};
  std::mt19937 choice(1);
  std::map<std::uint32_t, std::uint32_t> model;
  std::set<std::uint32_t> high_bytes;
  for (std::uint32_t step = 0; step < 20'000; ++step) {
    if (choice() % 3 != 0 || model.empty()) {
      const auto index = table.add(step, nullptr, random);
      REQUIRE(index != 0);
      REQUIRE(model.emplace(index, step).second);
      high_bytes.insert(index >> 24);
    } else {
      auto victim = model.lower_bound(static_cast<std::uint32_t>(choice()));
      if (victim == model.end()) victim = model.begin();
      table.remove(victim->first);
      REQUIRE(table.find(victim->first) == nullptr);
      model.erase(victim);
    }
  }
  for (const auto& [index, slot] : model) {
    REQUIRE(table.find(index) != nullptr);
    REQUIRE(table.find(index)->slot == slot);
  }
  CHECK(high_bytes.size() == 256);
  CHECK(table.find(0) == nullptr);
}

TEST_CASE("peers are found by id and key, and an id is never used again", "[core][peers]") {
  PeerTable table(1000, 42);
  std::set<std::uint64_t> ids;
  std::map<std::uint32_t, std::uint64_t> model;
  std::mt19937 random(9);
  for (int step = 0; step < 20'000; ++step) {
    const auto number = static_cast<std::uint32_t>(random() % 500);
    auto* peer = table.find(key_of(number));
    REQUIRE((peer != nullptr) == (model.count(number) == 1));
    if (peer == nullptr) {
      const auto id = table.add(key_of(number)).id();
      REQUIRE(id != 0);
      REQUIRE(ids.insert(id).second);
      model[number] = id;
    } else {
      REQUIRE(table.find(model[number]) == peer);
      table.remove(*peer);
      REQUIRE(table.find(model[number]) == nullptr);
      model.erase(number);
    }
    REQUIRE(table.size() == model.size());
  }
  CHECK(table.find(std::uint64_t{0}) == nullptr);
  CHECK(table.find(UINT64_MAX) == nullptr);
}

TEST_CASE("a slab keeps to its maximum and uses memory again", "[core][slab]") {
  Slab<std::uint64_t> slab(40);
  std::vector<std::uint64_t*> taken;
  while (auto* object = slab.take(std::uint64_t{1})) taken.push_back(object);
  CHECK(taken.size() == 40);
  const auto memory = slab.memory_bytes();
  for (auto* object : taken) slab.release(object);
  CHECK(slab.in_use() == 0);
  for (std::size_t i = 0; i < 40; ++i) taken[i] = slab.take(std::uint64_t{2});
  CHECK(slab.memory_bytes() == memory);
  for (auto* object : taken) slab.release(object);
}

TEST_CASE("events that nobody pulls are lost by number", "[core][events]") {
  EventQueue events;
  for (std::int64_t i = 0; i < 300; ++i) {
    tunnel_event event{};
    event.value = i;
    events.push(event);
  }
  for (std::int64_t i = 0; i < 256; ++i) CHECK(events.pop()->value == i);
  const auto overflow = events.pop();
  REQUIRE(overflow);
  CHECK(overflow->kind == TUNNEL_EVENT_OVERFLOW);
  CHECK(overflow->value == 44);
  CHECK_FALSE(events.pop());
}

TEST_CASE("the keyring follows the rules of rotation", "[core][keyring]") {
  std::array<PeerSession, 6> s;
  for (std::size_t i = 0; i < s.size(); ++i) s[i].received_at = i;
  Keyring keys;
  const auto nothing = Keyring::Retired{};

  SECTION("initiator: current becomes previous") {
    CHECK(keys.initiated(&s[0]) == nothing);
    CHECK(keys.initiated(&s[1]) == nothing);
    CHECK(keys.current() == &s[1]);
    CHECK(keys.initiated(&s[2]) == nothing);
    CHECK(keys.initiated(&s[3]) == Keyring::Retired{&s[0], nullptr});
  }
  SECTION("responder: next waits for its first data") {
    CHECK(keys.responded(&s[0]) == nothing);
    CHECK(keys.current() == nullptr);
    CHECK(keys.is_next(&s[0]));
    CHECK(keys.confirmed() == nothing);
    CHECK(keys.current() == &s[0]);
    CHECK_FALSE(keys.is_next(&s[0]));
  }
  SECTION("a second initiation replaces next and keeps what was") {
    CHECK(keys.initiated(&s[0]) == nothing);
    CHECK(keys.responded(&s[1]) == nothing);
    CHECK(keys.responded(&s[2]) == Keyring::Retired{&s[1], nullptr});
    CHECK(keys.current() == &s[0]);
  }
  SECTION("simultaneous start: both sessions receive") {
    CHECK(keys.responded(&s[0]) == nothing);
    CHECK(keys.initiated(&s[1]) == nothing);
    CHECK(keys.current() == &s[1]);
    CHECK(keys.next() == nullptr);
    const auto all = keys.take_all();
    CHECK(std::count(all.begin(), all.end(), &s[0]) == 1);
  }
  SECTION("what is too old for anything can be taken out, wherever it is") {
    CHECK(keys.initiated(&s[0]) == nothing);
    CHECK(keys.initiated(&s[1]) == nothing);
    CHECK(keys.responded(&s[2]) == nothing);
    const auto all = keys.take_expired(0);  // none of these was ever started
    for (const auto* session : {&s[0], &s[1], &s[2]}) {
      CHECK(std::count(all.begin(), all.end(), session) == 1);
    }
    CHECK(keys.current() == nullptr);
    CHECK(keys.next() == nullptr);
  }
  SECTION("of three, the one that received least lately goes") {
    CHECK(keys.initiated(&s[0]) == nothing);
    CHECK(keys.initiated(&s[1]) == nothing);
    CHECK(keys.initiated(&s[2]) == nothing);
    s[0].received_at = 100;  // the peer still sends on the oldest
    CHECK(keys.initiated(&s[3]) == Keyring::Retired{&s[1], nullptr});
  }
}
