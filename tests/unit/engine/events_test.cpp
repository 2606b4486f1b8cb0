#include "engine/events.h"

#include <poll.h>

#include "support/catch.hpp"

using tunnel::base::WaitFlag;
using tunnel::engine::EventQueue;

namespace {

EventQueue make_queue() {
  return EventQueue(std::move(*WaitFlag::create(WaitFlag::Kind::readable)));
}

tunnel_event event_of(std::int64_t value) {
  tunnel_event event = TUNNEL_EVENT_INIT;
  event.kind = TUNNEL_EVENT_ENDPOINT;
  event.value = value;
  return event;
}

bool readable(const EventQueue& queue) {
  pollfd entry{static_cast<int>(queue.handle()), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

}  // namespace

TEST_CASE("events come out in order, and the handle is readable while they wait",
          "[engine][events]") {
  auto queue = make_queue();
  tunnel_event event;
  CHECK_FALSE(readable(queue));
  CHECK_FALSE(queue.pop(event));

  queue.push(event_of(1));
  queue.push(event_of(2));
  CHECK(readable(queue));
  REQUIRE(queue.pop(event));
  CHECK(event.value == 1);
  CHECK(readable(queue));
  REQUIRE(queue.pop(event));
  CHECK(event.value == 2);
  CHECK_FALSE(readable(queue));
  CHECK_FALSE(queue.pop(event));
}

TEST_CASE("events that nobody pulls are counted where they are missing", "[engine][events]") {
  auto queue = make_queue();
  constexpr std::int64_t kKept = EventQueue::kCapacity - 1;
  for (std::int64_t i = 0; i < kKept + 5; ++i) queue.push(event_of(i));

  tunnel_event event;
  REQUIRE(queue.pop(event));
  REQUIRE(queue.pop(event));
  CHECK(event.value == 1);
  queue.push(event_of(9999));
  for (std::int64_t i = 2; i < kKept; ++i) {
    REQUIRE(queue.pop(event));
    CHECK(event.value == i);
  }
  REQUIRE(queue.pop(event));
  CHECK(event.kind == TUNNEL_EVENT_OVERFLOW);
  CHECK(event.value == 5);
  REQUIRE(queue.pop(event));
  CHECK(event.value == 9999);
  CHECK_FALSE(readable(queue));
}

TEST_CASE("a loss is told even when nothing happens afterwards", "[engine][events]") {
  auto queue = make_queue();
  for (std::size_t i = 0; i < EventQueue::kCapacity; ++i) queue.push(event_of(0));
  tunnel_event event;
  for (std::size_t i = 0; i + 1 < EventQueue::kCapacity; ++i) REQUIRE(queue.pop(event));
  CHECK(readable(queue));
  REQUIRE(queue.pop(event));
  CHECK(event.kind == TUNNEL_EVENT_OVERFLOW);
  CHECK(event.value == 1);
  CHECK_FALSE(readable(queue));
}
