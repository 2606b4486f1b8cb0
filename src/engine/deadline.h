// deadline.h — a timer descriptor on the clock that counts sleep, armed lazily.
//
// Deadlines of a busy tunnel move into the future with every packet. So the timer is only set when
// the wanted deadline is *earlier* than the armed one; when it then fires early, the owner finds
// nothing due and arms it anew. No system call per packet, and none while nothing changes.
#pragma once

#include <tunnel/packet.h>

#include "base/base.h"

namespace tunnel::engine {

class Deadline {
 public:
  static base::Result<Deadline> open() noexcept;

  // Sees to it that the descriptor is readable not later than `mono_ns`; TUNNEL_TIME_NEVER disarms,
  // so that an idle tunnel never wakes. True when this took a system call.
  bool arm(std::uint64_t mono_ns) noexcept;
  // To be called when the descriptor is readable: nothing is armed afterwards.
  void clear() noexcept;
  int handle() const noexcept { return fd_.get(); }

 private:
  explicit Deadline(base::Descriptor fd) noexcept : fd_(std::move(fd)) {}

  base::Descriptor fd_;
  std::uint64_t armed_ns_ = TUNNEL_TIME_NEVER;
};

}  // namespace tunnel::engine
