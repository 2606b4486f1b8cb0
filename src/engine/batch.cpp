#include "engine/batch.h"

namespace tunnel::engine {

Batch::Batch(std::size_t size, std::size_t packet_count, std::int32_t offered_verdict)
    : bytes(std::make_unique_for_overwrite<std::uint8_t[]>(size)),
      packets(packet_count),
      verdict(offered_verdict) {
  slab.bytes = bytes.get();
  slab.size = size;
}

std::size_t Batch::gather(std::size_t count) noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (packets[i].verdict != verdict) continue;
    if (kept != i) packets[kept] = packets[i];
    ++kept;
  }
  return kept;
}

void Batch::settle(std::size_t count, std::uint64_t mono_ns, SideCounts& counts) noexcept {
  if (waiting == 0) waiting_since_ns = mono_ns;
  waiting = 0;
  std::size_t taken = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t outcome = packets[i].verdict;
    if (outcome == TUNNEL_VERDICT_SENT) {
      ++taken;
    } else if (outcome == TUNNEL_VERDICT_WAIT) {
      packets[waiting] = packets[i];
      packets[waiting++].verdict = verdict;
    } else {
      counts.drop(outcome);
    }
  }
  counts.packets_out.add(taken);
}

void Batch::drop_waiting(std::int32_t reason, SideCounts& counts) noexcept {
  for (; waiting != 0; --waiting) counts.drop(reason);
}

}  // namespace tunnel::engine
