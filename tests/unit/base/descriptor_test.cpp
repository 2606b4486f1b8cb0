#include "base/descriptor.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "support/catch.hpp"

using namespace tunnel::base;

namespace {

short polled(std::int64_t handle) {
  pollfd one{static_cast<int>(handle), POLLIN | POLLOUT, 0};
  ::poll(&one, 1, 0);
  return one.revents;
}

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

}  // namespace

TEST_CASE("a descriptor is closed once, by its last owner", "[base][descriptor]") {
  const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  {
    Descriptor first(fd);
    Descriptor second(std::move(first));
    CHECK(second.get() == fd);
    CHECK(is_open(fd));
    second = Descriptor();
    CHECK_FALSE(is_open(fd));
  }
}

TEST_CASE("a readable flag is readable only while it is up", "[base][descriptor]") {
  auto flag = WaitFlag::create(WaitFlag::Kind::readable);
  REQUIRE(flag);
  CHECK((polled(flag->handle()) & POLLIN) == 0);
  flag->set(true);
  flag->set(true);
  CHECK((polled(flag->handle()) & POLLIN) != 0);
  flag->set(false);
  CHECK((polled(flag->handle()) & POLLIN) == 0);
}

TEST_CASE("a writable flag is writable only while it is up", "[base][descriptor]") {
  auto flag = WaitFlag::create(WaitFlag::Kind::writable);
  REQUIRE(flag);
  CHECK((polled(flag->handle()) & POLLOUT) != 0);
  flag->set(false);
  flag->set(false);
  CHECK((polled(flag->handle()) & POLLOUT) == 0);
  flag->set(true);
  CHECK((polled(flag->handle()) & POLLOUT) != 0);
}

TEST_CASE("errors of the system become statuses", "[base][descriptor]") {
  CHECK(status_of(EPERM) == TUNNEL_ERR_PERMISSION);
  CHECK(status_of(EMFILE) == TUNNEL_ERR_RESOURCES);
  CHECK(status_of(EADDRINUSE) == TUNNEL_ERR_IN_USE);
  CHECK(status_of(EAFNOSUPPORT) == TUNNEL_ERR_UNAVAILABLE);
  CHECK(status_of(ELOOP) == TUNNEL_ERR_SYSTEM);
}
