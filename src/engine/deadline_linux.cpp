#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "engine/deadline.h"

namespace tunnel::engine {

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

// All zero would disarm the timer, so time 0 becomes 1 ns: equally long ago.
itimerspec at(std::uint64_t mono_ns) noexcept {
  const auto ns = std::max<std::uint64_t>(mono_ns, 1);
  itimerspec spec{};
  spec.it_value.tv_sec = static_cast<time_t>(ns / kSecond);
  spec.it_value.tv_nsec = static_cast<long>(ns % kSecond);
  return spec;
}

}  // namespace

base::Result<Deadline> Deadline::open() noexcept {
  base::Descriptor fd(::timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!fd.valid()) return base::Error{base::status_of(errno)};
  return Deadline(std::move(fd));
}

bool Deadline::arm(std::uint64_t mono_ns) noexcept {
  const bool never = mono_ns == TUNNEL_TIME_NEVER;
  if (mono_ns == armed_ns_ || (mono_ns > armed_ns_ && !never)) return false;
  const itimerspec spec = never ? itimerspec{} : at(mono_ns);
  ::timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
  armed_ns_ = mono_ns;
  return true;
}

void Deadline::clear() noexcept {
  std::uint64_t expirations = 0;
  // Nothing to read means that it was armed anew meanwhile; then the next arm() sets it again.
  [[maybe_unused]] const auto count = ::read(fd_.get(), &expirations, sizeof expirations);
  armed_ns_ = TUNNEL_TIME_NEVER;
}

}  // namespace tunnel::engine
