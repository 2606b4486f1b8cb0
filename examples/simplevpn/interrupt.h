// interrupt.h - waiting that SIGINT and SIGTERM end in order: for commands that go on until then.
#pragma once

#include <vector>

#include "handles.h"

namespace simplevpn {

class Interrupt {
 public:
  enum class Woken { time, data, signal };

  Interrupt();  // blocks the signals for the rest of the process: from now on only wait() sees them

  // Until the time is over (-1 = no end), a handle is readable, or a signal came.
  Woken wait(const std::vector<int>& handles, int timeout_ms) const;

  // After Woken::signal: 130 for SIGINT, 0 for SIGTERM.
  int exit_status() const;

 private:
  Descriptor signals_;
};

}  // namespace simplevpn
