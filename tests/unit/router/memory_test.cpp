// What the table takes, gives back, and does when there is no memory.
#include <cstdlib>
#include <new>

#include "reference.h"
#include "support/catch.hpp"

using namespace tunnel::router;
using namespace tunnel::router::test;

namespace {

long allocations_left = -1;  // negative: no limit

bool allocation_refused() {
  if (allocations_left < 0) return false;
  return allocations_left == 0 || allocations_left-- == 0;
}

tunnel_prefix ipv4_host(std::uint32_t number) {
  tunnel_prefix prefix{};
  prefix.family = TUNNEL_FAMILY_IPV4;
  prefix.length = 32;
  tunnel::base::store_be32(prefix.bytes, number);
  return prefix;
}

}  // namespace

// The room takes memory in two ways, which these replace for the program.
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  if (allocation_refused()) return nullptr;
  try {
    return ::operator new[](size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  if (allocation_refused()) return nullptr;
  try {
    return ::operator new[](size, alignment);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

TEST_CASE("an insertion that runs out of memory changes nothing", "[router][memory]") {
  std::size_t failures = 0;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    PrefixTable table;
    Reference reference;
    for (int step = 0; step < 300; ++step) {
      const auto prefix = crowded_prefix(random);
      const auto owner = static_cast<Owner>(random() % 40);
      allocations_left = static_cast<long>(random() % 3);
      const bool inserted = table.insert(prefix, owner);
      allocations_left = -1;
      if (inserted) reference.insert(prefix, owner);
      failures += !inserted;
      const auto address = address_near(prefix, random);
      REQUIRE(table.size() == reference.size());
      REQUIRE(table.find(prefix.family, address.data()) ==
              reference.find(prefix.family, address.data()));
    }
    for (Owner owner = 0; owner < 40; ++owner) {
      REQUIRE(table.count(owner) == reference.of(owner).size());
    }
  }
  CHECK(failures > 100);
}

TEST_CASE("removals need no memory", "[router][memory]") {
  Random random(7);
  PrefixTable table;
  Reference reference;
  for (int i = 0; i < 500; ++i) {
    const auto prefix = crowded_prefix(random);
    REQUIRE(table.insert(prefix, static_cast<Owner>(i % 5)));
    reference.insert(prefix, static_cast<Owner>(i % 5));
  }
  allocations_left = 0;
  std::size_t refused = 0;
  while (reference.size() > 0) {
    const auto prefix = reference.prefix(reference.size() / 2);
    const auto owner = reference.owner(reference.size() / 2);
    refused += !table.remove(prefix, owner);
    reference.remove(prefix, owner);
  }
  allocations_left = -1;
  CHECK(refused == 0);
  CHECK(table.size() == 0);
  CHECK(table.memory_bytes() == PrefixTable().memory_bytes());
}

TEST_CASE("a hundred thousand peers with one address each cost few bytes", "[router][memory]") {
  constexpr Owner kPeers = 100'000;
  PrefixTable table;
  for (Owner peer = 0; peer < kPeers; ++peer) {
    REQUIRE(table.insert(ipv4_host(0x0a000000 + peer), peer));
  }
  CHECK(table.memory_bytes() / kPeers < 48);
  for (Owner peer = 0; peer < kPeers; ++peer) table.remove_all(peer);
  CHECK(table.memory_bytes() == PrefixTable().memory_bytes());
}

TEST_CASE("pairs that differ in their last bit cost one node a pair", "[router][memory]") {
  Random random(3);
  PrefixTable table;
  constexpr std::size_t kPairs = 10'000;
  for (std::size_t i = 0; i < kPairs; ++i) {
    tunnel_prefix prefix{};
    prefix.family = TUNNEL_FAMILY_IPV6;
    prefix.length = 128;
    for (auto& byte : prefix.bytes) byte = random_byte(random);
    REQUIRE(table.insert(prefix, 0));
    prefix.bytes[15] ^= 1;
    REQUIRE(table.insert(prefix, 0));
  }
  CHECK(table.memory_bytes() / (2 * kPairs) < 200);
}
