// rate_limiter.cpp — how many handshakes one address may ask of us while we are under load.
//
// A bucket is one number: the time at which it is full again. Every handshake moves that time by
// the cost of a token; a bucket that is full tells nothing, so its entry is the first to give way.
#include <algorithm>

#include "protocol/gate.h"

namespace tunnel::protocol {

namespace {

constexpr std::uint64_t kTokenCost = kSecond / 20;
constexpr std::uint64_t kBurst = 5;

// IPv6 has the top bit set and the others do not, so families never share an entry. Folding the
// two halves of IPv6 space is harmless: no assigned prefix of one has its twin in the other.
std::uint64_t source_of(const tunnel_address& from) noexcept {
  constexpr std::uint64_t kIpv6Tag = std::uint64_t{1} << 63;
  constexpr std::uint64_t kLinkTag = std::uint64_t{1} << 62;
  constexpr std::uint64_t kIpv4Tag = std::uint64_t{1} << 61;
  if (from.family == TUNNEL_FAMILY_IPV4) return kIpv4Tag | base::load_be32(from.bytes);
  if (from.family == TUNNEL_FAMILY_IPV6) return kIpv6Tag | base::load_be64(from.bytes);
  return kLinkTag | base::load_be64(from.bytes) >> 16;
}

}  // namespace

RateLimiter::RateLimiter(cipher::Random& random) : entries_(kSets * kWays) {
  random.fill(hash_key_.writable());
}

bool RateLimiter::allow(const tunnel_address& from, std::uint64_t now) noexcept {
  const std::uint64_t source = source_of(from);
  Entry& entry = entry_of(source);
  if (entry.source != source) entry = {source, 0};
  const std::uint64_t full_at = std::max(entry.full_at, now) + kTokenCost;
  if (full_at > now + kBurst * kTokenCost) return false;
  entry.full_at = full_at;
  return true;
}

RateLimiter::Entry& RateLimiter::entry_of(std::uint64_t source) noexcept {
  std::array<std::uint8_t, 8> bytes;
  base::store_le64(bytes.data(), source);
  const auto digest = cipher::mac(hash_key_.bytes(), bytes);
  const auto set = entries_.begin() +
                   static_cast<std::ptrdiff_t>(base::load_le32(digest.data()) % kSets * kWays);
  const auto end = set + kWays;

  const auto own = std::find_if(set, end, [&](const Entry& e) { return e.source == source; });
  if (own != end) return *own;
  return *std::min_element(set, end,
                           [](const Entry& a, const Entry& b) { return a.full_at < b.full_at; });
}

}  // namespace tunnel::protocol
