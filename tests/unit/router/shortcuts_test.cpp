// Tables so large that lookups begin at shortcuts, against one hash table per prefix length.
#include <unordered_map>

#include "reference.h"
#include "router/shortcuts.h"
#include "support/catch.hpp"

using namespace tunnel::router;
using namespace tunnel::router::test;

namespace {

constexpr Owner kOwners = 1000;

// The first 64 bits are enough here: lengths stay below that.
std::uint64_t first_bits(const std::uint8_t* bytes, unsigned length) {
  const std::uint64_t bits = tunnel::base::load_be64(bytes);
  return length == 0 ? 0 : bits & UINT64_MAX << (64 - length);
}

// As Reference, but with a cost per lookup that does not grow with the table.
class ByLength {
 public:
  void insert(const tunnel_prefix& prefix, Owner owner) {
    longest_ = std::max<unsigned>(longest_, prefix.length);
    rows_[prefix.length][first_bits(prefix.bytes, prefix.length)] = owner;
  }
  bool remove(const tunnel_prefix& prefix, Owner owner) {
    auto& row = rows_[prefix.length];
    const auto found = row.find(first_bits(prefix.bytes, prefix.length));
    if (found == row.end() || found->second != owner) return false;
    row.erase(found);
    return true;
  }
  Owner find(const std::uint8_t* address) const {
    for (unsigned length = longest_ + 1; length-- > 0;) {
      const auto found = rows_[length].find(first_bits(address, length));
      if (found != rows_[length].end()) return found->second;
    }
    return kNobody;
  }
  std::size_t size() const {
    std::size_t sum = 0;
    for (const auto& row : rows_) sum += row.size();
    return sum;
  }

 private:
  std::array<std::unordered_map<std::uint64_t, Owner>, 61> rows_;
  unsigned longest_ = 0;
};

// Spread over all addresses; one in sixteen is short enough to hold many others.
tunnel_prefix spread_prefix(std::uint8_t family, Random& random) {
  tunnel_prefix prefix{};
  prefix.family = family;
  const unsigned longest = family == TUNNEL_FAMILY_IPV4 ? 32 : 60;
  const unsigned length = random() % 16 == 0 ? random() % 21 : 12 + random() % (longest - 11);
  prefix.length = static_cast<std::uint8_t>(length);
  const unsigned bytes = family == TUNNEL_FAMILY_IPV4 ? 4 : 8;
  for (unsigned i = 0; i < bytes; ++i) prefix.bytes[i] = random_byte(random);
  return prefix;
}

// A table and its reference, changed the same way; counts what differs.
class Twins {
 public:
  Twins(std::uint8_t family, unsigned seed) : family_(family), random_(seed) {}

  void grow_to(std::size_t size) {
    while (table_.size() < size) insert();
  }
  // Removes and inserts in turn, with a lookup near each.
  void churn(std::size_t steps) {
    for (std::size_t i = 0; i < steps; ++i) {
      remove();
      insert();
      look(known_.back().prefix);
    }
  }
  void shrink_to(std::size_t size) {
    while (table_.size() > size) remove();
  }
  void remove_owners() {
    for (Owner owner = 0; owner < kOwners; ++owner) table_.remove_all(owner);
  }
  std::size_t differences() const { return differences_ + (table_.size() != reference_.size()); }
  std::size_t memory_bytes() const { return table_.memory_bytes(); }

 private:
  struct Row {
    tunnel_prefix prefix;
    Owner owner;
  };

  void insert() {
    const Row row{spread_prefix(family_, random_), static_cast<Owner>(random_() % kOwners)};
    differences_ += !table_.insert(row.prefix, row.owner);
    reference_.insert(row.prefix, row.owner);
    known_.push_back(row);
  }
  // A row whose prefix moved to another owner since is refused by both.
  void remove() {
    std::swap(known_[random_() % known_.size()], known_.back());
    const Row row = known_.back();
    known_.pop_back();
    differences_ +=
        table_.remove(row.prefix, row.owner) != reference_.remove(row.prefix, row.owner);
    look(row.prefix);
  }
  void look(const tunnel_prefix& prefix) {
    auto address = prefix;
    for (unsigned bit = prefix.length; bit < 64; ++bit) {
      if (random_() % 2 == 0) address.bytes[bit / 8] ^= static_cast<std::uint8_t>(0x80 >> bit % 8);
    }
    if (random_() % 4 == 0) address.bytes[random_() % 4] = random_byte(random_);
    differences_ += table_.find(family_, address.bytes) != reference_.find(address.bytes);
  }

  std::uint8_t family_;
  Random random_;
  PrefixTable table_;
  ByLength reference_;
  std::vector<Row> known_;
  std::size_t differences_ = 0;
};

}  // namespace

TEST_CASE("lookups through shortcuts agree with a hash table per length", "[router][property]") {
  REQUIRE(Shortcuts::worth(1'000) == 0);
  REQUIRE(Shortcuts::worth(20'000) == 14);
  for (const int number : {TUNNEL_FAMILY_IPV4, TUNNEL_FAMILY_IPV6}) {
    const auto family = static_cast<std::uint8_t>(number);
    Twins twins(family, family);
    twins.grow_to(20'000);
    twins.churn(20'000);
    twins.shrink_to(1'000);
    twins.churn(1'000);
    twins.grow_to(10'000);
    CHECK(twins.differences() == 0);
    twins.remove_owners();
    CHECK(twins.memory_bytes() == PrefixTable().memory_bytes());
  }
}

TEST_CASE("lookups through a million shortcuts agree, too", "[router][property]") {
  REQUIRE(Shortcuts::worth(530'000) == 20);
  Twins twins(TUNNEL_FAMILY_IPV4, 9);
  twins.grow_to(530'000);
  twins.churn(40'000);
  CHECK(twins.differences() == 0);
}

TEST_CASE("short prefixes come and go over many shortcuts", "[router]") {
  PrefixTable table;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    tunnel_prefix prefix{TUNNEL_FAMILY_IPV4, 32, 0, 0, {}};
    tunnel::base::store_be32(prefix.bytes, i << 18 | 1);
    REQUIRE(table.insert(prefix, 1));
  }
  const tunnel_prefix all{TUNNEL_FAMILY_IPV4, 0, 0, 0, {}};
  const tunnel_prefix half{TUNNEL_FAMILY_IPV4, 1, 0, 0, {128}};
  const std::array<std::uint8_t, 4> low{9, 9, 9, 9}, high{200, 9, 9, 9}, host{128, 0, 0, 1};
  REQUIRE(table.insert(half, 2));
  REQUIRE(table.insert(all, 3));
  CHECK(table.find_ipv4(low.data()) == 3);
  CHECK(table.find_ipv4(high.data()) == 2);
  CHECK(table.find_ipv4(host.data()) == 1);
  REQUIRE(table.remove(half, 2));
  CHECK(table.find_ipv4(high.data()) == 3);
  REQUIRE(table.remove(all, 3));
  CHECK(table.find_ipv4(high.data()) == kNobody);
}
