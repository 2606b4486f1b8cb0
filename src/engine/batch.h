// batch.h — a slab, the packets that were read into it, and where they are on their way.
#pragma once

#include <tunnel/packet.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/counts.h"
#include "engine/crypt_pool.h"

namespace tunnel::engine {

struct Batch {
  // `offered_verdict`: what a packet must say so that its writer takes it.
  Batch(std::size_t bytes, std::size_t packet_count, std::int32_t offered_verdict);

  // Moves the packets of the first `count` that are to be written to the front, in order.
  std::size_t gather(std::size_t count) noexcept;
  // Sorts out what became of the first `count` packets, all of which were offered now. Those to be
  // offered again stay at the front.
  void settle(std::size_t count, std::uint64_t mono_ns, SideCounts& counts) noexcept;
  // Gives up the packets that wait.
  void drop_waiting(std::int32_t reason, SideCounts& counts) noexcept;

  std::unique_ptr<std::uint8_t[]> bytes;
  tunnel_slab slab{};
  std::vector<tunnel_packet> packets;
  std::int32_t verdict;
  std::size_t waiting = 0;  // packets at the front that were not taken
  std::uint64_t waiting_since_ns = 0;

  // While a lane has it under way.
  std::size_t read = 0;  // packets of the read
  bool decided = false;  // by the core: every packet has its verdict
  bool offered = false;  // to the writer, once
  std::vector<tunnel_aead_job> jobs;
  CryptTask task;
};

}  // namespace tunnel::engine
