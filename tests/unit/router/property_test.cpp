// The trie against a plain list, with random changes and more than a million lookups.
#include "reference.h"
#include "support/catch.hpp"

using namespace tunnel::router;
using namespace tunnel::router::test;

namespace {

constexpr Owner kOwners = 12;

// Changes both the same way; returns false when their answers differ.
bool change(PrefixTable& table, Reference& reference, Random& random) {
  const auto owner = static_cast<Owner>(random() % kOwners);
  const bool known = reference.size() > 0 && random() % 2 == 0;
  const std::size_t row = known ? random() % reference.size() : 0;
  const auto prefix = known ? reference.prefix(row) : crowded_prefix(random);
  const auto kind = random() % 256;
  if (kind == 0) {
    table.remove_all(owner);
    reference.remove_all(owner);
    return true;
  }
  if (kind < 112) {
    const Owner from = known && kind % 4 != 0 ? reference.owner(row) : owner;
    return table.remove(prefix, from) == reference.remove(prefix, from);
  }
  reference.insert(prefix, owner);
  return table.insert(prefix, owner);
}

std::size_t lookups_that_differ(const PrefixTable& table, const Reference& reference,
                                Random& random) {
  std::size_t differences = 0;
  for (int i = 0; i < 100; ++i) {
    const bool near = reference.size() > 0 && random() % 8 != 0;
    const auto prefix =
        near ? reference.prefix(random() % reference.size()) : crowded_prefix(random);
    const auto address = address_near(prefix, random);
    const auto found = table.find(prefix.family, address.data());
    differences += found != reference.find(prefix.family, address.data());
  }
  return differences;
}

std::size_t lists_that_differ(const PrefixTable& table, const Reference& reference) {
  std::size_t differences = table.size() != reference.size();
  for (Owner owner = 0; owner < kOwners; ++owner) {
    const auto expected = reference.of(owner);
    std::vector<tunnel_prefix> copied(expected.size() + 1);
    copied.resize(table.copy(owner, copied.data(), copied.size()));
    const bool equal =
        std::is_permutation(copied.begin(), copied.end(), expected.begin(), expected.end(), same);
    differences += !equal || table.count(owner) != expected.size();
  }
  return differences;
}

}  // namespace

TEST_CASE("the trie agrees with a plain list in a million lookups between random changes",
          "[router][property]") {
  std::size_t lookups = 0, differences = 0;
  for (unsigned seed = 1; seed <= 12; ++seed) {
    Random random(seed);
    PrefixTable table;
    Reference reference;
    for (int step = 0; step < 1000; ++step) {
      differences += !change(table, reference, random);
      differences += lookups_that_differ(table, reference, random);
      lookups += 100;
      if (step % 50 == 0) differences += lists_that_differ(table, reference);
    }
    differences += lists_that_differ(table, reference);
    for (Owner owner = 0; owner < kOwners; ++owner) table.remove_all(owner);
    CHECK(table.size() == 0);
    CHECK(table.memory_bytes() == PrefixTable().memory_bytes());
  }
  CHECK(lookups >= 1'000'000);
  CHECK(differences == 0);
}
