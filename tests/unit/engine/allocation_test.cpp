// The packet path takes no memory: counted for the engine's thread by our own operator new.
#include <cstdlib>
#include <new>

#include "nodes.h"
#include "support/catch.hpp"

namespace {

thread_local std::uint64_t allocations = 0;

void* take(std::size_t size) {
  ++allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

// All forms that this program uses: the address sanitizer would see a mixture of ours and its own.
void* operator new(std::size_t size) {
  return take(size);
}
void* operator new[](std::size_t size) {
  return take(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return take(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return take(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}

TEST_CASE("a running engine takes no memory for packets, waits and tasks", "[engine]") {
  tunnel::test::UdpPair pair;
  pair.start();
  // It takes its memory with its first wait, which on a busy machine may come after some packets.
  std::uint32_t first = 0;
  while (pair.a->counters().wakeups == 0) pair.ping(first++);
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  pair.a->do_there([&](tunnel_core*) { before = allocations; });
  for (std::uint32_t i = 0; i < 500; ++i) pair.ping(first + i);
  pair.a->do_there([&](tunnel_core*) { after = allocations; });
  CHECK(before > 0);
  CHECK(after == before);
}
