#include "engine/counts.h"

namespace tunnel::engine {

void SideCounts::drop(std::int32_t verdict) noexcept {
  const bool known =
      verdict >= TUNNEL_DROP_FIRST && verdict < TUNNEL_DROP_FIRST + TUNNEL_DROP_COUNT;
  const std::int32_t reason = known ? verdict : TUNNEL_DROP_IO;
  drops[static_cast<std::size_t>(reason - TUNNEL_DROP_FIRST)].add(1);
}

void Counts::copy_to(tunnel_engine_counters& counters) const noexcept {
  counters.wakeups = wakeups.get();
  counters.memory_bytes = memory_bytes.get();
  counters.device_reads = device.reads.get();
  counters.device_packets_in = device.packets_in.get();
  counters.device_packets_out = device.packets_out.get();
  counters.transport_reads = transport.reads.get();
  counters.transport_packets_in = transport.packets_in.get();
  counters.transport_packets_out = transport.packets_out.get();
  for (std::size_t i = 0; i < TUNNEL_DROP_COUNT; ++i) {
    counters.device_drops[i] = device.drops[i].get();
    counters.transport_drops[i] = transport.drops[i].get();
  }
}

}  // namespace tunnel::engine
