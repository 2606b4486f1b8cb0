// bench_router — lookups in the allowed-IPs trie: time and memory by number of prefixes.
//
// Each figure is over many runs of 64 lookups, so the clock costs nothing per lookup. "alone": a
// lookup begins when the last one has ended; "batch": the processor may overlap them, as in a core
// that routes a batch of packets. "hot" asks for the same 64 addresses again and again, "random"
// for a million different ones; all lie inside a prefix.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <random>
#include <vector>

#include "router/router.h"

namespace {

using tunnel::router::Owner;
using tunnel::router::PrefixTable;
using Random = std::mt19937_64;
using Key = std::array<std::uint8_t, 16>;

constexpr std::size_t kRun = 64;
constexpr std::size_t kRuns = 20'000;
constexpr std::size_t kManyKeys = 1u << 20;  // a power of two, as 64 is

// Lengths as in routing tables and peer lists: mostly long, some short.
std::uint8_t random_length(bool ipv4, Random& random) {
  if (ipv4) return static_cast<std::uint8_t>(16 + random() % 17);
  return static_cast<std::uint8_t>(random() % 2 == 0 ? 128 : 32 + random() % 33);
}

tunnel_prefix random_prefix(bool ipv4, Random& random) {
  tunnel_prefix prefix{};
  prefix.family = ipv4 ? TUNNEL_FAMILY_IPV4 : TUNNEL_FAMILY_IPV6;
  prefix.length = random_length(ipv4, random);
  for (auto& byte : prefix.bytes) byte = static_cast<std::uint8_t>(random());
  return prefix;
}

Key address_in(const tunnel_prefix& prefix, Random& random) {
  Key key;
  std::copy_n(prefix.bytes, key.size(), key.begin());
  for (unsigned bit = prefix.length; bit < 128; ++bit) {
    if (random() % 2 == 0) key[bit / 8] = static_cast<std::uint8_t>(key[bit / 8] ^ 0x80 >> bit % 8);
  }
  return key;
}

// One run; the keys were copied near, as the headers of a batch are when it is routed.
template <bool dependent>
double run_ns(const PrefixTable& table, bool ipv4, const std::array<Key, kRun>& keys) {
  const auto before = std::chrono::steady_clock::now();
  Owner owner = 0, sum = 0;
  for (std::size_t i = 0; i < kRun; ++i) {
    const auto* key = keys[(i + (dependent ? owner >> 31 : 0)) % kRun].data();
    owner = ipv4 ? table.find_ipv4(key) : table.find_ipv6(key);
    sum += owner;
  }
  const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - before;
  const volatile Owner sink = sum;  // so that the lookups are not removed
  static_cast<void>(sink);
  return spent.count() / kRun;
}

template <bool dependent>
void measure(const PrefixTable& table, bool ipv4, const std::vector<Key>& keys, const char* name) {
  std::vector<double> times(kRuns);
  std::array<Key, kRun> near;
  for (std::size_t i = 0; i < kRuns; ++i) {
    std::copy_n(keys.begin() + static_cast<std::ptrdiff_t>(i * kRun % keys.size()), kRun,
                near.begin());
    times[i] = run_ns<dependent>(table, ipv4, near);
  }
  std::sort(times.begin(), times.end());
  std::printf("  %-16s  median %6.1f  p90 %6.1f  p99 %6.1f ns\n", name, times[kRuns / 2],
              times[kRuns * 9 / 10], times[kRuns * 99 / 100]);
}

void measure_all(const PrefixTable& table, bool ipv4, const std::vector<Key>& keys) {
  const std::vector<Key> few(keys.begin(), keys.begin() + kRun);
  measure<true>(table, ipv4, few, "hot, alone");
  measure<false>(table, ipv4, few, "hot, batch");
  measure<true>(table, ipv4, keys, "random, alone");
  measure<false>(table, ipv4, keys, "random, batch");
}

std::vector<Key> keys_in(const std::vector<tunnel_prefix>& prefixes, std::size_t count,
                         Random& random) {
  std::vector<Key> keys(count);
  for (auto& key : keys) key = address_in(prefixes[random() % prefixes.size()], random);
  return keys;
}

void measure_random(bool ipv4, std::size_t count) {
  Random random(count);
  PrefixTable table;
  std::vector<tunnel_prefix> prefixes;
  const auto before = std::chrono::steady_clock::now();
  while (table.size() < count) {
    prefixes.push_back(random_prefix(ipv4, random));
    if (!table.insert(prefixes.back(), static_cast<Owner>(table.size()))) return;
  }
  const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - before;
  const auto size = static_cast<double>(table.size());
  std::printf("IPv%c, %zu random prefixes: %.0f bytes and %.0f ns to insert each\n",
              ipv4 ? '4' : '6', table.size(), static_cast<double>(table.memory_bytes()) / size,
              spent.count() / size);
  measure_all(table, ipv4, keys_in(prefixes, kManyKeys, random));
}

void measure_gateway() {
  constexpr Owner kPeers = 100'000;
  Random random(1);
  PrefixTable table;
  std::vector<tunnel_prefix> prefixes;
  for (Owner peer = 0; peer < kPeers; ++peer) {
    tunnel_prefix prefix{TUNNEL_FAMILY_IPV4, 32, 0, 0, {10}};
    tunnel::base::store_be32(prefix.bytes, 0x0a000000 + peer);
    prefixes.push_back(prefix);
    if (!table.insert(prefix, peer)) return;
  }
  std::printf("gateway, %u peers with one /32 of 10.0.0.0/8: %.1f bytes each\n", kPeers,
              static_cast<double>(table.memory_bytes()) / kPeers);
  measure_all(table, true, keys_in(prefixes, kManyKeys, random));
}

}  // namespace

int main() {
  for (const std::size_t count :
       {std::size_t{1'000}, std::size_t{100'000}, std::size_t{1'000'000}}) {
    measure_random(true, count);
    measure_random(false, count);
  }
  measure_gateway();
}
