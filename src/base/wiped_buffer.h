// wiped_buffer.h — bytes of unknown number that may hold secrets: wiped whenever they are given
// back, also when the buffer grows.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/secret.h"

namespace tunnel::base {

class WipedBuffer {
 public:
  WipedBuffer() noexcept = default;
  WipedBuffer(WipedBuffer&& other) noexcept { swap(other); }
  WipedBuffer& operator=(WipedBuffer&& other) noexcept {
    WipedBuffer(std::move(other)).swap(*this);
    return *this;
  }
  ~WipedBuffer() { clear(); }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  char* data() noexcept { return bytes_.get(); }
  std::string_view text() const noexcept { return {bytes_.get(), size_}; }

  // Room for `size` bytes; the content is kept.
  void reserve(std::size_t size) {
    if (size <= room_) return;
    auto larger = std::make_unique<char[]>(size);
    if (size_ != 0) std::memcpy(larger.get(), bytes_.get(), size_);
    if (room_ != 0) wipe(bytes_.get(), room_);
    bytes_ = std::move(larger);
    room_ = size;
  }

  void append(std::string_view text) {
    if (text.empty()) return;
    std::memcpy(extend(text.size()), text.data(), text.size());
  }

  // Grows by bytes to be filled in by the caller, and says where they are.
  char* extend(std::size_t count) {
    if (count > room_ - size_) reserve(size_ + count + size_ / 2 + 64);
    size_ += count;
    return bytes_.get() + size_ - count;
  }

  // Keeps the first `size` bytes (not more than there are).
  void truncate(std::size_t size) noexcept {
    if (size != size_) wipe(bytes_.get() + size, size_ - size);
    size_ = size;
  }

  // Removes the first `count` bytes (not more than there are).
  void drop_front(std::size_t count) noexcept {
    if (count == 0) return;
    std::memmove(bytes_.get(), bytes_.get() + count, size_ - count);
    truncate(size_ - count);
  }

  void clear() noexcept {
    if (bytes_ != nullptr) wipe(bytes_.get(), room_);
    size_ = 0;
  }

  void swap(WipedBuffer& other) noexcept {
    bytes_.swap(other.bytes_);
    std::swap(size_, other.size_);
    std::swap(room_, other.room_);
  }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t room_ = 0;
};

}  // namespace tunnel::base
