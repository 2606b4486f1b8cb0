// wake.h — a flag that another thread raises and a waiting thread sees as a readable descriptor.
//
// Unlike base::WaitFlag it needs no lock, so a signal handler may raise it.
#pragma once

#include "base/base.h"

namespace tunnel::engine {

class Wake {
 public:
  static base::Result<Wake> open() noexcept;

  // Makes the descriptor readable. Any thread, also a signal handler; errno stays as it was.
  void raise() const noexcept;
  // Makes it unreadable again; every raise before this call counts as seen.
  void clear() const noexcept;
  int handle() const noexcept { return fd_.get(); }

 private:
  explicit Wake(base::Descriptor fd) noexcept : fd_(std::move(fd)) {}

  base::Descriptor fd_;
};

}  // namespace tunnel::engine
