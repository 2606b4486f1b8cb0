// lane.h — one direction of the pump: its batches, in the order in which they were read.
//
//   1. take     ordered    the core plans what was read
//   2. crypt    parallel   at once, or by the pool
//   3. decided  ordered    the core commits the oldest; it is written, then released
//
// Without a pool there is one batch and the steps follow each other at once. With one, other
// batches are read and written while the cipher works on the oldest.
#pragma once

#include <tunnel/core.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/batch.h"
#include "engine/crypt_pool.h"

namespace tunnel::engine {

class Lane {
 public:
  // The core's functions for the direction.
  struct Verbs {
    std::int32_t (*whole)(tunnel_core*, tunnel_packet*, std::size_t, const tunnel_time*);
    std::int32_t (*plan)(tunnel_core*, tunnel_packet*, std::size_t, tunnel_aead_job*,
                         const tunnel_time*);
    std::int32_t (*commit)(tunnel_core*, tunnel_packet*, std::size_t, const tunnel_aead_job*,
                           const tunnel_time*);
    CryptTask::Verb crypt;
  };
  struct Parts {
    tunnel_core* core;
    void* cipher;
    CryptPool* pool;      // may be null
    std::size_t batches;  // 1 without a pool
  };
  struct Shape {
    std::size_t bytes;  // of a slab
    std::size_t packets;
    std::int32_t verdict;  // of packets to be written
  };

  Lane(const Parts& parts, const Verbs& verbs, const Shape& shape);
  // Everything must have been settled.
  ~Lane() = default;
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // The batch to read into next; null while all are under way, or while what was read before waits
  // for its writer.
  Batch* vacant() noexcept;
  bool reads() const noexcept { return under_way_ < batches_.size() && !blocked(); }
  // `count` packets were read into vacant().
  void take(std::size_t count, const tunnel_time& now) noexcept;

  // The oldest batch under way, with every packet decided; null when there is none yet.
  Batch* decided(const tunnel_time& now) noexcept;
  // The oldest batch has been written and is vacant again.
  void release() noexcept;

  // True when the cipher is through with a batch that decided() has not seen.
  bool ready() const noexcept;
  // Waits for the cipher: every batch under way is decided then.
  void settle(const tunnel_time& now) noexcept;

  std::vector<std::unique_ptr<Batch>>& batches() noexcept { return batches_; }

 private:
  bool blocked() const noexcept { return under_way_ != 0 && front().waiting != 0; }
  const Batch& front() const noexcept { return *batches_[first_]; }
  Batch& at(std::size_t i) noexcept { return *batches_[(first_ + i) % batches_.size()]; }
  void crypt(Batch& batch) noexcept;
  void decide(Batch& batch, const tunnel_time& now) noexcept;

  Parts parts_;
  Verbs verbs_;
  std::vector<std::unique_ptr<Batch>> batches_;  // a ring
  std::size_t first_ = 0;
  std::size_t under_way_ = 0;
};

}  // namespace tunnel::engine
