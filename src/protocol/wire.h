// wire.h — the four messages of WireGuard and the constants of the protocol (whitepaper 5.4, 6.1).
//
// Offsets and sizes only; nothing here decides anything. All integers on the wire are
// little-endian.
#pragma once

#include <cstdint>
#include <optional>

#include "base/base.h"

namespace tunnel::protocol {

inline constexpr std::uint64_t kSecond = 1'000'000'000;

// ---- constants of section 6.1
inline constexpr std::uint64_t kRekeyAfterMessages = std::uint64_t{1} << 60;
inline constexpr std::uint64_t kRejectAfterMessages = UINT64_MAX - (std::uint64_t{1} << 13);
inline constexpr std::uint64_t kRekeyAfterTime = 120 * kSecond;
inline constexpr std::uint64_t kRejectAfterTime = 180 * kSecond;
inline constexpr std::uint64_t kRekeyTimeout = 5 * kSecond;
inline constexpr std::uint64_t kJitter = kSecond / 3;  // added to timeouts: 0..333 ms
inline constexpr std::uint64_t kKeepaliveTimeout = 10 * kSecond;
inline constexpr std::uint64_t kNewHandshakeTime = kKeepaliveTimeout + kRekeyTimeout;
inline constexpr std::uint64_t kRekeyOnReceiveTime =
    kRejectAfterTime - kKeepaliveTimeout - kRekeyTimeout;
inline constexpr std::uint64_t kWipeAfterTime = 3 * kRejectAfterTime;
inline constexpr std::uint32_t kMaxHandshakeAttempts = 18;  // then 90 s have passed
inline constexpr std::uint64_t kInitiationSpacing = kSecond / 50;
inline constexpr std::uint64_t kCookieSecretMaxAge = 120 * kSecond;
inline constexpr std::uint64_t kCookieSecretLatency = 5 * kSecond;

// ---- messages
enum class MessageType : std::uint8_t { initiation = 1, response = 2, cookie = 3, data = 4 };

inline constexpr std::size_t kInitiationSize = 148;
inline constexpr std::size_t kResponseSize = 92;
inline constexpr std::size_t kCookieReplySize = 64;
inline constexpr std::size_t kDataHeaderSize = 16;
inline constexpr std::size_t kDataOverhead = 32;  // header and tag; also the size of a keepalive
inline constexpr std::size_t kMacSize = 16;

using InitiationBytes = base::BytesOf<kInitiationSize>;
using ResponseBytes = base::BytesOf<kResponseSize>;
using CookieReplyBytes = base::BytesOf<kCookieReplySize>;

// Type of a datagram whose reserved bytes are zero and whose length fits its type exactly (data: at
// least 32 bytes). Nothing otherwise.
std::optional<MessageType> classify(base::Bytes datagram) noexcept;

// Sender index of an initiation or response; receiver index of a response, cookie reply or data.
std::uint32_t sender_index(base::Bytes message) noexcept;
std::uint32_t receiver_index(base::Bytes message) noexcept;  // by its own type byte

struct DataHeader {
  std::uint32_t receiver;
  std::uint64_t counter;
};
DataHeader read_data_header(const std::uint8_t* datagram) noexcept;
void write_data_header(std::uint8_t* datagram, DataHeader header) noexcept;

// Length after padding an inside packet (whitepaper 5.4.6): to a multiple of 16, never past the
// MTU; a packet longer than the MTU is padded relative to its last unit; MTU 0 sets no bound.
std::uint32_t padded_length(std::uint32_t length, std::uint32_t mtu) noexcept;

}  // namespace tunnel::protocol
