#include <sys/eventfd.h>

#include <cerrno>

#include "engine/wake.h"

namespace tunnel::engine {

base::Result<Wake> Wake::open() noexcept {
  base::Descriptor fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd.valid()) return base::Error{base::status_of(errno)};
  return Wake(std::move(fd));
}

void Wake::raise() const noexcept {
  const int saved = errno;
  // Fails only when the counter is full, and then the descriptor is readable anyway.
  [[maybe_unused]] const auto written = ::eventfd_write(fd_.get(), 1);
  errno = saved;
}

void Wake::clear() const noexcept {
  eventfd_t count = 0;
  // Fails only when nobody raised it since, which is what we want.
  [[maybe_unused]] const auto taken = ::eventfd_read(fd_.get(), &count);
}

}  // namespace tunnel::engine
