// pump.h — moves batches between a device, the core and a transport.
//
// One round moves at most one batch each way, so that neither direction starves the other:
//
//   1. outbound (ordered): device.read -> seal -> transport.write
//   2. timers   (ordered): poll, with at most one handshake -> transport.write
//   3. inbound  (ordered): transport.read -> open -> device.write; replies -> transport.write
//   4. timers again
//
// The cipher's part of seal and open may run on a pool of threads (lane.h); then a round writes
// what an earlier one has read.
//
// A writer that says WAIT keeps its side of the pump still: the packets it did not take stay in
// their slab, in order, and the reader that would need the slab is not asked until they are gone.
// So nothing is queued beyond the batch in flight and nothing is lost: a full transport stops the
// device, a full device stops the transport. The other direction goes on.
//
// No clock, no thread, no waiting, no allocation after creation.
#pragma once

#include <tunnel/core.h>

#include <array>
#include <memory>
#include <vector>

#include "engine/counts.h"
#include "engine/icmp.h"
#include "engine/lane.h"
#include "engine/tables.h"

namespace tunnel::engine {

class Pump {
 public:
  struct Parts {
    tunnel_core* core;
    tunnel_cipher cipher;  // the core's
    Device device;
    Transport transport;
    std::size_t batch;  // packets per read
    bool answers;       // unroutable packets of the device get an ICMP error
    CryptPool* pool = nullptr;
    std::size_t batches = 1;  // of each direction; more than one only with a pool
  };

  // Owns none of the parts. `counts` outlives the pump.
  Pump(const Parts& parts, const tunnel_layout& layout, Counts& counts);
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

  // Bytes that a pump of this batch takes at creation, and ever.
  static std::size_t memory_bytes(const tunnel_layout& layout, std::size_t batch,
                                  std::size_t batches) noexcept;

  // Whether a side is read, and what counts as more to come: another read that may find something,
  // or only one that most likely does.
  enum class Ask : std::uint8_t { no, once, to_the_end };

  // Moves what is there. True when there may be more.
  bool round(const tunnel_time& now) noexcept;
  // The halves of a round, each with its timers: an answer may arrive within one round, and who
  // reads the clock between them sees how long it took.
  bool outward(Ask ask, const tunnel_time& now) noexcept;
  bool inward(Ask ask, const tunnel_time& now) noexcept;

  // The first error that a table reported since the last call; TUNNEL_OK when there was none.
  std::int32_t take_device_error() noexcept;
  std::int32_t take_transport_error() noexcept;

  // With a pool: does work of the cipher that nobody has begun. False when there is none.
  bool help() noexcept;
  // With a pool: true when the cipher is through with something that the next round will write.
  bool ready() const noexcept { return outbound_.ready() || inbound_.ready(); }
  // Waits for the cipher and writes what the writers take.
  void settle(const tunnel_time& now) noexcept;

  // False while packets of the other side's slab wait, or all slabs are with the cipher: then it is
  // no use to wait for more.
  bool reads_device() const noexcept { return outbound_.reads(); }
  bool reads_transport() const noexcept { return inbound_.reads(); }
  // When the core must be polled; never, while the last poll's packets wait for the transport.
  std::uint64_t deadline() const noexcept;

  // Takes over the core's layout after its MTU changed. The slabs fit every MTU.
  void set_layout(const tunnel_layout& layout) noexcept;
  // Drops sealed packets that have not left: their keys are about to be forgotten.
  void drop_sealed(const tunnel_time& now) noexcept;

 private:
  bool outbound(Ask ask, const tunnel_time& now) noexcept;
  bool inbound(Ask ask, const tunnel_time& now) noexcept;
  bool timers(const tunnel_time& now) noexcept;
  bool send_waiting(Batch& batch, const tunnel_time& now) noexcept;
  void write_sealed(const tunnel_time& now) noexcept;
  void write_opened(const tunnel_time& now) noexcept;
  void send(Batch& batch, std::size_t count, const tunnel_time& now) noexcept;
  void deliver(Batch& batch, std::size_t count, const tunnel_time& now) noexcept;
  void refuse(const Batch& batch, const tunnel_time& now) noexcept;
  void answer(const tunnel_packet& packet, const tunnel_time& now) noexcept;
  void send_replies(const Batch& batch) noexcept;
  std::size_t prepare_polled() noexcept;

  Parts parts_;
  Counts& counts_;
  Lane outbound_;  // read from the device
  Lane inbound_;   // read from the transport
  Batch polled_;   // made by the core's poll
  std::vector<tunnel_packet> replies_;
  TokenBucket answer_tokens_;
  std::array<std::uint8_t, TUNNEL_HEADROOM + kUnreachableMax + TUNNEL_TAILROOM> answer_bytes_;
  std::uint32_t poll_buffer_ = 0;
  std::int32_t device_error_ = TUNNEL_OK;
  std::int32_t transport_error_ = TUNNEL_OK;
};

}  // namespace tunnel::engine
