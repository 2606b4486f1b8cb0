// counting_allocator.h — operator new of this program counts; malloc of C libraries is not seen.
#pragma once

#include <cstdint>

struct AllocationCount {
  std::uint64_t calls;
  std::int64_t bytes_in_use;  // usable sizes, as the allocator really gave them
  std::int64_t most_in_use;   // since the start, or since forget_most_in_use()
};

AllocationCount allocations() noexcept;
void forget_most_in_use() noexcept;

// While one of these lives, allocation number `number` (from 1) fails, as if memory were out.
class FailingAllocation {
 public:
  explicit FailingAllocation(std::int64_t number) noexcept;
  ~FailingAllocation();
  FailingAllocation(const FailingAllocation&) = delete;
  bool happened() const noexcept;
};
