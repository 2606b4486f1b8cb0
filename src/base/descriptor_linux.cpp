#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/descriptor.h"

namespace tunnel::base {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  Descriptor old(std::exchange(fd_, other.release()));
  return *this;
}

Descriptor::~Descriptor() {
  // The descriptor is gone even when close fails with EINTR (Linux); other errors help nobody.
  if (fd_ >= 0) ::close(fd_);
}

int Descriptor::release() noexcept {
  return std::exchange(fd_, -1);
}

std::int32_t status_of(int error) noexcept {
  switch (error) {
    case EPERM:
    case EACCES:
      return TUNNEL_ERR_PERMISSION;
    case EADDRINUSE:
    case EBUSY:
      return TUNNEL_ERR_IN_USE;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return TUNNEL_ERR_RESOURCES;
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case EADDRNOTAVAIL:
      return TUNNEL_ERR_UNAVAILABLE;
    default:
      return TUNNEL_ERR_SYSTEM;
  }
}

Result<WaitFlag> WaitFlag::create(Kind kind) noexcept {
  Descriptor fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) return Error{status_of(errno)};
  return WaitFlag(std::move(fd), kind);
}

// An eventfd is readable while its counter is above 0, and writable while it is below its maximum,
// 2^64 - 2. So a readable flag is up at 1, and a writable one is down at the maximum.
void WaitFlag::set(bool up) noexcept {
  if (up == up_) return;
  up_ = up;
  std::uint64_t counter = kind_ == Kind::readable ? 1 : UINT64_MAX - 1;
  const bool count = up == (kind_ == Kind::readable);
  // Neither call can fail: the counter is 0 before the write and above 0 before the read.
  [[maybe_unused]] const ssize_t bytes = count ? ::write(fd_.get(), &counter, sizeof counter)
                                               : ::read(fd_.get(), &counter, sizeof counter);
}

}  // namespace tunnel::base
