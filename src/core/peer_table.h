// peer_table.h — all peers: by slot, by id, by public key.
//
// Slots are used again, ids never: an id carries the generation of its slot. Peers do not move.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/peer.h"

namespace tunnel::core {

class PeerTable {
 public:
  PeerTable(std::uint32_t maximum, std::uint64_t hash_key) noexcept
      : maximum_(maximum), hash_key_(hash_key) {}

  Peer& operator[](std::uint32_t slot) noexcept { return chunks_[slot / kChunk][slot % kChunk]; }
  const Peer& operator[](std::uint32_t slot) const noexcept {
    return chunks_[slot / kChunk][slot % kChunk];
  }

  // Asks the processor for what seal reads of a peer first.
  void prefetch(std::uint32_t slot) const noexcept {
    const Peer& peer = (*this)[slot];
    __builtin_prefetch(&peer.slot);
    __builtin_prefetch(&peer.endpoint);
    __builtin_prefetch(&peer.keys);
  }

  Peer* find(std::uint64_t id) noexcept;
  const Peer* find(std::uint64_t id) const noexcept;
  Peer* find(const protocol::PublicKey& key) noexcept;
  const Peer* find(const protocol::PublicKey& key) const noexcept;

  bool full() const noexcept { return size_ == maximum_; }
  // A new peer with this key, which must not be there yet. Throws std::bad_alloc, changing nothing.
  Peer& add(const protocol::PublicKey& key);
  // Wipes the peer and ends its id.
  void remove(Peer& peer) noexcept;

  std::uint32_t size() const noexcept { return size_; }
  std::uint32_t slots() const noexcept { return slots_; }  // ever used: 0..slots()-1
  std::size_t memory_bytes() const noexcept;
  std::size_t growth() const noexcept;  // bytes that one more peer takes

 private:
  static constexpr std::uint32_t kChunk = 32;
  static constexpr std::uint32_t kEmpty = UINT32_MAX;

  std::size_t home(const protocol::PublicKey& key) const noexcept;
  std::size_t position(const protocol::PublicKey& key) const noexcept;
  bool buckets_full() const noexcept { return (size_ + 1) * 4ull > buckets_.size() * 3ull; }
  bool chunks_full() const noexcept {
    return free_slots_.empty() && slots_ == chunks_.size() * kChunk;
  }
  std::size_t more_buckets() const noexcept {
    return std::max<std::size_t>(8, buckets_.size() * 2);
  }
  void grow_buckets();
  std::uint32_t take_slot();

  std::uint32_t maximum_;
  std::uint64_t hash_key_;
  std::uint32_t size_ = 0;
  std::uint32_t slots_ = 0;
  std::vector<std::unique_ptr<Peer[]>> chunks_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::uint32_t> buckets_;  // slot by public key, open addressing, at most 3/4 full
};

}  // namespace tunnel::core
