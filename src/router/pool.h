// pool.h — objects with 32-bit numbers, in chunks that never move.
//
// A number is half a pointer. Nothing here throws: out of memory is false, or the number kNone.
#pragma once

#include <cstdint>
#include <memory>
#include <new>

namespace tunnel::router {

inline constexpr std::uint32_t kNone = UINT32_MAX;

// An array that grows by a chunk at a time.
template <class T>
class Chunks {
 public:
  static constexpr std::uint32_t kChunk = 256;

  T& operator[](std::uint32_t id) noexcept { return chunks_[id / kChunk][id % kChunk]; }
  const T& operator[](std::uint32_t id) const noexcept { return chunks_[id / kChunk][id % kChunk]; }

  std::uint32_t size() const noexcept { return count_ * kChunk; }
  std::size_t memory_bytes() const noexcept {
    return count_ * (kChunk * sizeof(T)) + room_ * sizeof(Chunk);
  }

  // Bytes that grow() takes.
  std::size_t growth() const noexcept {
    return kChunk * sizeof(T) + (count_ == room_ ? (next_room() - room_) * sizeof(Chunk) : 0);
  }

  [[nodiscard]] bool grow() noexcept {
    if (count_ == room_ && !grow_directory()) return false;
    chunks_[count_].reset(new (std::nothrow) T[kChunk]);
    if (!chunks_[count_]) return false;
    ++count_;
    return true;
  }

 private:
  // Numbers stay below 2^31: the trie uses their top bit.
  static constexpr std::uint32_t kMaxRoom = (std::uint32_t{1} << 31) / kChunk;
  using Chunk = std::unique_ptr<T[]>;

  std::uint32_t next_room() const noexcept { return room_ == 0 ? 4 : 2 * room_; }

  bool grow_directory() noexcept {
    const std::uint32_t room = next_room();
    if (room > kMaxRoom) return false;
    std::unique_ptr<Chunk[]> bigger(new (std::nothrow) Chunk[room]);
    if (!bigger) return false;
    for (std::uint32_t i = 0; i < count_; ++i) bigger[i] = std::move(chunks_[i]);
    chunks_ = std::move(bigger);
    room_ = room;
    return true;
  }

  std::unique_ptr<Chunk[]> chunks_;
  std::uint32_t count_ = 0;
  std::uint32_t room_ = 0;
};

// Objects that are taken and given back; a number is used again. Memory goes back to the system
// when the last object is given back. T has a member `std::uint32_t next`, the pool's while T is
// free.
template <class T>
class Pool {
 public:
  T& operator[](std::uint32_t id) noexcept { return objects_[id]; }
  const T& operator[](std::uint32_t id) const noexcept { return objects_[id]; }

  std::uint32_t live() const noexcept { return live_; }
  std::size_t memory_bytes() const noexcept { return objects_.memory_bytes(); }
  // Bytes that the next take() takes.
  std::size_t growth() const noexcept { return free_ == kNone ? objects_.growth() : 0; }

  // Number of a fresh object, or kNone.
  std::uint32_t take() noexcept {
    if (free_ == kNone && !grow()) return kNone;
    const std::uint32_t id = free_;
    free_ = objects_[id].next;
    renew(objects_[id]);
    ++live_;
    return id;
  }

  void give_back(std::uint32_t id) noexcept {
    renew(objects_[id]);
    objects_[id].next = free_;
    free_ = id;
    if (--live_ == 0) *this = Pool{};
  }

 private:
  static void renew(T& object) noexcept {
    std::destroy_at(&object);
    std::construct_at(&object);
  }

  bool grow() noexcept {
    const std::uint32_t first = objects_.size();
    if (!objects_.grow()) return false;
    for (std::uint32_t id = first; id < objects_.size(); ++id) objects_[id].next = id + 1;
    objects_[objects_.size() - 1].next = kNone;
    free_ = first;
    return true;
  }

  Chunks<T> objects_;
  std::uint32_t free_ = kNone;  // list through T::next
  std::uint32_t live_ = 0;
};

}  // namespace tunnel::router
