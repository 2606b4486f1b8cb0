#include "memory/counting_allocator.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::uint64_t> calls;
std::atomic<std::int64_t> bytes;
std::atomic<std::int64_t> most;
std::atomic<std::int64_t> until_failure;  // 0 and below: none fails

void* counted(void* memory) noexcept {
  if (memory == nullptr) return nullptr;
  if (until_failure > 0 && --until_failure == 0) {
    std::free(memory);
    return nullptr;
  }
  ++calls;
  const auto size = static_cast<std::int64_t>(malloc_usable_size(memory) + 8);  // and its header
  const auto now = bytes += size;
  for (auto old = most.load(); old < now && !most.compare_exchange_weak(old, now);) {
  }
  return memory;
}

void release(void* memory) noexcept {
  if (memory == nullptr) return;
  bytes -= static_cast<std::int64_t>(malloc_usable_size(memory) + 8);
  std::free(memory);
}

void* required(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void* aligned(std::size_t size, std::align_val_t alignment) noexcept {
  const auto unit = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(unit, (size + unit - 1) / unit * unit));
}

}  // namespace

AllocationCount allocations() noexcept {
  return {calls, bytes, most};
}

void forget_most_in_use() noexcept {
  most = bytes.load();
}

FailingAllocation::FailingAllocation(std::int64_t number) noexcept {
  until_failure = number;
}

FailingAllocation::~FailingAllocation() {
  until_failure = 0;
}

bool FailingAllocation::happened() const noexcept {
  return until_failure == 0;
}

void* operator new(std::size_t size) {
  return required(counted(std::malloc(size)));
}
void* operator new[](std::size_t size) {
  return required(counted(std::malloc(size)));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return counted(std::malloc(size));
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return counted(std::malloc(size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return required(aligned(size, alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return required(aligned(size, alignment));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return aligned(size, alignment);
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return aligned(size, alignment);
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete[](void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}
