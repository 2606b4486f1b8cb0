// counting_allocator.h — operator new of this program counts; malloc of C libraries is not seen.
#pragma once

#include <cstdint>

struct AllocationCount {
  std::uint64_t calls;
  std::int64_t bytes_in_use;  // usable sizes, as the allocator really gave them
};

AllocationCount allocations() noexcept;
