#include "engine/waiter.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "base/base.h"
#include "engine/clock.h"
#include "engine/wake.h"
#include "support/catch.hpp"

using tunnel::base::Descriptor;
using tunnel::engine::Waiter;
using tunnel::engine::Wake;
using Side = tunnel::engine::Waiter::Side;

namespace {

// A test that would hang otherwise ends here.
std::uint64_t in_a_minute() {
  return tunnel::engine::read_clocks().mono_ns + 60'000'000'000;
}

bool before_the_minute(std::uint64_t end) {
  return tunnel::engine::read_clocks().mono_ns < end;
}

std::array<tunnel_handle, 1> one(const Wake& wake) {
  return {{{wake.handle(), TUNNEL_READABLE, 0}}};
}

}  // namespace

TEST_CASE("a wait ends with a wake, also one that came before", "[engine][waiter]") {
  auto waiter = Waiter::create();
  REQUIRE(waiter);
  const auto end = in_a_minute();
  for (int i = 0; i < 3; ++i) {
    (*waiter)->wake();
    (*waiter)->wait(end);
    CHECK(before_the_minute(end));
  }
}

TEST_CASE("a wait ends with its deadline", "[engine][waiter]") {
  auto waiter = Waiter::create();
  REQUIRE(waiter);
  const auto soon = tunnel::engine::read_clocks().mono_ns + 1'000'000;
  (*waiter)->wait(soon);
  CHECK(tunnel::engine::read_clocks().mono_ns >= soon);
  (*waiter)->wait(0);
}

TEST_CASE("a wait ends as long as a handle is readable", "[engine][waiter]") {
  auto waiter = Waiter::create();
  auto source = Wake::open();
  REQUIRE(waiter);
  REQUIRE(source);
  const auto end = in_a_minute();
  source->raise();
  // Asked for anew it fires again: what was not read is not forgotten.
  for (int i = 0; i < 3; ++i) {
    CHECK((*waiter)->watch(Side::device, one(*source)) == TUNNEL_OK);
    (*waiter)->wait(end);
    CHECK(before_the_minute(end));
  }
}

TEST_CASE("a wait tells which side it heard of", "[engine][waiter]") {
  auto waiter = Waiter::create();
  auto device = Wake::open();
  auto transport = Wake::open();
  REQUIRE(waiter);
  REQUIRE(device);
  REQUIRE(transport);
  const auto end = in_a_minute();
  const auto wait = [&] {
    CHECK((*waiter)->watch(Side::device, one(*device)) == TUNNEL_OK);
    CHECK((*waiter)->watch(Side::transport, one(*transport)) == TUNNEL_OK);
    (*waiter)->wait(end);
    CHECK(before_the_minute(end));
  };
  device->raise();
  wait();
  CHECK((*waiter)->fired(Side::device));
  CHECK_FALSE((*waiter)->fired(Side::transport));

  device->clear();
  transport->raise();
  wait();
  CHECK_FALSE((*waiter)->fired(Side::device));
  CHECK((*waiter)->fired(Side::transport));

  transport->clear();
  (*waiter)->wake();
  wait();
  CHECK((*waiter)->fired(Side::device));
  CHECK((*waiter)->fired(Side::transport));

  CHECK((*waiter)->watch(Side::device, one(*device)) == TUNNEL_OK);
  (*waiter)->wait(0);  // the deadline is nobody's
  CHECK_FALSE((*waiter)->fired(Side::device));
  CHECK_FALSE((*waiter)->fired(Side::transport));
}

TEST_CASE("two handles that fire at once are both heard of", "[engine][waiter]") {
  auto waiter = Waiter::create();
  auto device = Wake::open();
  auto transport = Wake::open();
  REQUIRE(waiter);
  REQUIRE(device);
  REQUIRE(transport);
  device->raise();
  transport->raise();
  bool of_device = false;
  bool of_transport = false;
  for (int i = 0; i < 2; ++i) {
    CHECK((*waiter)->watch(Side::device, one(*device)) == TUNNEL_OK);
    CHECK((*waiter)->watch(Side::transport, one(*transport)) == TUNNEL_OK);
    (*waiter)->wait(in_a_minute());
    of_device = of_device || (*waiter)->fired(Side::device);
    of_transport = of_transport || (*waiter)->fired(Side::transport);
    if (of_device) device->clear();
    if (of_transport) transport->clear();
  }
  CHECK(of_device);
  CHECK(of_transport);
}

TEST_CASE("handles that are no longer named are let go, not closed", "[engine][waiter]") {
  auto waiter = Waiter::create();
  auto first = Wake::open();
  auto second = Wake::open();
  REQUIRE(waiter);
  REQUIRE(first);
  REQUIRE(second);
  CHECK((*waiter)->watch(Side::transport, one(*first)) == TUNNEL_OK);
  CHECK((*waiter)->watch(Side::transport, one(*second)) == TUNNEL_OK);
  first->raise();
  const auto soon = tunnel::engine::read_clocks().mono_ns + 1'000'000;
  (*waiter)->wait(soon);
  (*waiter)->wait(soon);  // the first one may have ended with the handle that was let go
  CHECK(tunnel::engine::read_clocks().mono_ns >= soon);

  (*waiter)->forget(Side::transport);
  CHECK(::fcntl(first->handle(), F_GETFD) >= 0);
  CHECK(::fcntl(second->handle(), F_GETFD) >= 0);
}

TEST_CASE("a handle's number may be used again after it was let go", "[engine][waiter]") {
  auto waiter = Waiter::create();
  REQUIRE(waiter);
  const auto end = in_a_minute();
  for (int i = 0; i < 3; ++i) {
    auto source = Wake::open();
    REQUIRE(source);
    CHECK((*waiter)->watch(Side::device, one(*source)) == TUNNEL_OK);
    source->raise();
    (*waiter)->wait(end);
    CHECK(before_the_minute(end));
    (*waiter)->forget(Side::device);
  }
}

TEST_CASE("writing is waited for only while it is asked for", "[engine][waiter]") {
  auto waiter = Waiter::create();
  REQUIRE(waiter);
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) == 0);
  const Descriptor reader(ends[0]);
  const Descriptor writer(ends[1]);
  const auto end = in_a_minute();

  std::array<tunnel_handle, 1> handle{{{writer.get(), TUNNEL_WRITABLE, 0}}};
  CHECK((*waiter)->watch(Side::device, handle) == TUNNEL_OK);
  (*waiter)->wait(end);
  CHECK(before_the_minute(end));

  handle[0].events = 0;
  CHECK((*waiter)->watch(Side::device, handle) == TUNNEL_OK);
  const auto soon = tunnel::engine::read_clocks().mono_ns + 1'000'000;
  (*waiter)->wait(soon);
  CHECK(tunnel::engine::read_clocks().mono_ns >= soon);
}

TEST_CASE("what was asked of a handle before it was let go ends no later wait",
          "[engine][waiter]") {
  auto waiter = Waiter::create();
  REQUIRE(waiter);
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const Descriptor ours(ends[0]);
  const Descriptor theirs(ends[1]);
  std::array<tunnel_handle, 1> handle{{{ours.get(), TUNNEL_READABLE | TUNNEL_WRITABLE, 0}}};
  const auto end = in_a_minute();
  char byte = 0;
  for (int i = 0; i < 5; ++i) {
    // Both at once: one is heard of, the other is let go of with the wish to write.
    REQUIRE(::write(theirs.get(), &byte, 1) == 1);
    handle[0].events = TUNNEL_READABLE | TUNNEL_WRITABLE;
    CHECK((*waiter)->watch(Side::transport, handle) == TUNNEL_OK);
    (*waiter)->wait(end);
    CHECK((*waiter)->fired(Side::transport));
    REQUIRE(::read(ours.get(), &byte, 1) == 1);
    handle[0].events = TUNNEL_READABLE;
    CHECK((*waiter)->watch(Side::transport, handle) == TUNNEL_OK);
    const auto soon = tunnel::engine::read_clocks().mono_ns + 1'000'000;
    (*waiter)->wait(soon);
    CHECK(tunnel::engine::read_clocks().mono_ns >= soon);
    CHECK_FALSE((*waiter)->fired(Side::transport));
  }
  CHECK(before_the_minute(end));
}

TEST_CASE("a descriptor that the system cannot wait for is an error, not a busy loop",
          "[engine][waiter]") {
  auto waiter = Waiter::create();
  REQUIRE(waiter);
  const Descriptor file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  REQUIRE(file.valid());
  const std::array<tunnel_handle, 1> handle{{{file.get(), TUNNEL_READABLE, 0}}};
  const auto end = in_a_minute();
  std::int32_t status = (*waiter)->watch(Side::device, handle);
  for (int i = 0; i < 2 && status == TUNNEL_OK; ++i) {
    (*waiter)->wait(end);
    status = (*waiter)->watch(Side::device, handle);
  }
  CHECK(status == TUNNEL_ERR_SYSTEM);
}
