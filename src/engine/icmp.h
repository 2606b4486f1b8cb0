// icmp.h — tells a local program at once that its packet has no way through the tunnel.
//
// Follows RFC 792, RFC 1122 3.2.2 and RFC 1812 4.3.2 for IPv4, RFC 4443 2.4 and 3.1 for IPv6. Pure
// functions of bytes and time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/base.h"

namespace tunnel::engine {

// The longest answer: the smallest MTU of IPv6 (RFC 4443 3.1).
inline constexpr std::size_t kUnreachableMax = 1280;

// Writes "host unreachable" (IPv4 type 3 code 1) or "address unreachable" (IPv6 type 1 code 3)
// about an inside packet, from the packet's destination to its source. The destination speaks for
// itself because it is the one address that the sender's own stack surely routes to this device; a
// local address would be refused as martian.
//
// Returns the length, or 0 when the packet must not be answered: it is an ICMP error itself, a
// fragment other than the first, malformed, or to or from an address that is not one single node's.
std::size_t write_unreachable(base::Bytes packet,
                              base::MutableBytesOf<kUnreachableMax> answer) noexcept;

// Lets `burst` answers through at once and `per_second` in the long run.
class TokenBucket {
 public:
  TokenBucket(std::uint32_t per_second, std::uint32_t burst) noexcept;

  [[nodiscard]] bool take(std::uint64_t mono_ns) noexcept;

 private:
  std::uint64_t interval_ns_;      // one token
  std::uint64_t window_ns_;        // a full bucket
  std::uint64_t empty_at_ns_ = 0;  // the bucket holds (now - empty_at) / interval tokens
};

}  // namespace tunnel::engine
