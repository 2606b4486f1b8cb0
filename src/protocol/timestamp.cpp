#include "protocol/timestamp.h"

#include "base/base.h"
#include "protocol/wire.h"

namespace tunnel::protocol {

namespace {

// TAI64 label of 1970-01-01 00:00:00 UTC, ten seconds of TAI offset included.
constexpr std::uint64_t kTai64Base = 0x400000000000000a;

// Whitens the nanoseconds within their second, as the kernel does, not the sum.
constexpr std::uint64_t whiten(std::uint64_t wall_ns) noexcept {
  const std::uint64_t nanoseconds = wall_ns % kSecond;
  return wall_ns - nanoseconds + (nanoseconds & ~(kTimestampStep - 1));
}

}  // namespace

Timestamp encode_timestamp(std::uint64_t wall_ns) noexcept {
  const std::uint64_t whitened = whiten(wall_ns);
  Timestamp stamp;
  base::store_be64(stamp.data(), kTai64Base + whitened / kSecond);
  base::store_be32(&stamp[8], static_cast<std::uint32_t>(whitened % kSecond));
  return stamp;
}

Timestamp TimestampSource::next(std::uint64_t wall_ns) noexcept {
  const std::uint64_t present = whiten(wall_ns);
  // One step above the last stamp lies in the same second or at the start of the next.
  last_ = present > last_ ? present : whiten(last_ + kTimestampStep);
  return encode_timestamp(last_);
}

}  // namespace tunnel::protocol
