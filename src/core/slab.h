// slab.h — objects of one type in chunks that never move, with a maximum.
//
// Grows only when an object is taken, which the core does for authenticated peers and own
// initiations alone. Released objects are destroyed (and so wiped) at once and their memory is used
// again.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace tunnel::core {

template <class T>
class Slab {
 public:
  explicit Slab(std::size_t maximum) noexcept : maximum_(maximum) {}
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  // Every object must have been released. Chunks go one by one: a long chain must not recurse.
  ~Slab() {
    while (chunks_ != nullptr) chunks_ = std::move(chunks_->next);
  }

  // Null when the maximum is reached or memory is out.
  template <class... Args>
  T* take(Args&&... args) noexcept {
    if (in_use_ == maximum_) return nullptr;
    if (free_ == nullptr && !grow()) return nullptr;
    Cell* cell = free_;
    free_ = cell->next;
    ++in_use_;
    return ::new (static_cast<void*>(cell->bytes)) T(std::forward<Args>(args)...);
  }

  void release(T* object) noexcept {
    object->~T();
    auto* cell = reinterpret_cast<Cell*>(object);
    cell->next = free_;
    free_ = cell;
    --in_use_;
  }

  std::size_t in_use() const noexcept { return in_use_; }
  std::size_t memory_bytes() const noexcept { return chunk_count_ * sizeof(Chunk); }
  // Bytes that the next take() takes.
  std::size_t growth() const noexcept {
    return free_ == nullptr && in_use_ != maximum_ ? sizeof(Chunk) : 0;
  }

 private:
  static constexpr std::size_t kChunk = 16;
  union Cell {
    Cell* next;
    alignas(T) std::byte bytes[sizeof(T)];
  };

  struct Chunk {
    std::unique_ptr<Chunk> next;
    Cell cells[kChunk];
  };

  bool grow() noexcept {
    std::unique_ptr<Chunk> chunk(new (std::nothrow) Chunk);
    if (chunk == nullptr) return false;
    for (auto& cell : chunk->cells) {
      cell.next = free_;
      free_ = &cell;
    }
    chunk->next = std::move(chunks_);
    chunks_ = std::move(chunk);
    ++chunk_count_;
    return true;
  }

  std::size_t maximum_;
  std::size_t in_use_ = 0;
  Cell* free_ = nullptr;
  std::unique_ptr<Chunk> chunks_;
  std::size_t chunk_count_ = 0;
};

}  // namespace tunnel::core
