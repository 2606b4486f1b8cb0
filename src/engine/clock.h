// clock.h — the two clocks. Read once per batch.
#pragma once

#include <tunnel/packet.h>

namespace tunnel::engine {

tunnel_time read_clocks() noexcept;

}  // namespace tunnel::engine
