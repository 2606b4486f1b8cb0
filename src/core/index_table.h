// index_table.h — which session or handshake a 32-bit index on the wire names.
//
// Indices are uniformly random, so they are their own hash: open addressing, one cache miss a
// lookup. An observer learns nothing from them, not even how many there are.
#pragma once

#include <cstdint>
#include <memory>

#include "cipher/cipher.h"

namespace tunnel::core {

struct PeerSession;

class IndexTable {
 public:
  struct Entry {
    std::uint32_t index = 0;         // 0 = empty; 0 is never given out
    std::uint32_t slot = 0;          // of the peer
    PeerSession* session = nullptr;  // null: the peer's initiation in flight
  };

  // A fresh random index for `slot`; 0 when memory is out.
  std::uint32_t add(std::uint32_t slot, PeerSession* session, cipher::Random& random) noexcept;
  // The initiation that had this index became a session.
  void assign(std::uint32_t index, PeerSession* session) noexcept;
  void remove(std::uint32_t index) noexcept;
  const Entry* find(std::uint32_t index) const noexcept;

  std::size_t memory_bytes() const noexcept { return size_ * sizeof(Entry); }
  // Bytes that the next add() takes.
  std::size_t growth() const noexcept { return (next_size() - size_) * sizeof(Entry); }

 private:
  std::size_t mask() const noexcept { return size_ - 1; }
  std::size_t position(std::uint32_t index) const noexcept;  // its place, or the empty one for it
  std::size_t next_size() const noexcept;
  bool make_room() noexcept;

  std::unique_ptr<Entry[]> entries_;
  std::size_t size_ = 0;  // a power of two, at most half used
  std::size_t used_ = 0;
};

}  // namespace tunnel::core
