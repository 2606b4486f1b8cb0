#include "engine/icmp.h"

#include <algorithm>

namespace tunnel::engine {

namespace {

constexpr std::uint8_t kHopLimit = 64;

// ---- IPv4 ----

constexpr std::uint8_t kIcmpv4 = 1;
constexpr std::uint8_t kDestinationUnreachable = 3;
constexpr std::uint8_t kHostUnreachable = 1;
constexpr std::uint8_t kInternetworkControl = 0xc0;  // precedence of ICMP errors, RFC 1812 4.3.2.5
constexpr std::size_t kIcmpHeaderSize = 8;
constexpr std::size_t kIpv4AnswerMax = 576;  // RFC 1812 4.3.2.3

bool is_one_ipv4_node(base::Bytes address) noexcept {
  // 0/8 "this network", 127/8 loopback, 224/4 multicast, 240/4 reserved and broadcast
  return address[0] != 0 && address[0] != 127 && address[0] < 224;
}

// Everything but questions and answers counts as an error: unknown types too (RFC 1122 3.2.2).
bool is_icmpv4_error(base::Bytes packet, std::size_t header_size) noexcept {
  if (packet[9] != kIcmpv4) return false;
  if (packet.size() <= header_size) return true;
  switch (packet[header_size]) {
    case 0:   // echo reply
    case 8:   // echo
    case 13:  // timestamp
    case 14:  // timestamp reply
      return false;
    default:
      return true;
  }
}

bool may_answer_ipv4(base::Bytes packet, const base::IpHeader& header) noexcept {
  const bool first_fragment = (base::load_be16(&packet[6]) & 0x1fff) == 0;
  const std::size_t header_size = (packet[0] & 0x0f) * std::size_t{4};
  return first_fragment && is_one_ipv4_node(header.source) &&
         is_one_ipv4_node(header.destination) && !is_icmpv4_error(packet, header_size);
}

std::size_t write_ipv4(base::Bytes packet, const base::IpHeader& header,
                       base::MutableBytes answer) noexcept {
  constexpr std::size_t kHeaders = base::kIpv4HeaderSize + kIcmpHeaderSize;
  const auto quoted = packet.first(std::min(packet.size(), kIpv4AnswerMax - kHeaders));
  const std::size_t length = kHeaders + quoted.size();
  std::fill_n(answer.begin(), kHeaders, std::uint8_t{0});
  answer[0] = 0x45;
  answer[1] = kInternetworkControl;
  base::store_be16(&answer[2], static_cast<std::uint16_t>(length));
  answer[8] = kHopLimit;
  answer[9] = kIcmpv4;
  std::copy(header.destination.begin(), header.destination.end(), &answer[12]);
  std::copy(header.source.begin(), header.source.end(), &answer[16]);
  base::store_be16(&answer[10], base::internet_checksum(answer.first(base::kIpv4HeaderSize)));

  const auto icmp = answer.subspan(base::kIpv4HeaderSize, length - base::kIpv4HeaderSize);
  icmp[0] = kDestinationUnreachable;
  icmp[1] = kHostUnreachable;
  std::copy(quoted.begin(), quoted.end(), &icmp[kIcmpHeaderSize]);
  base::store_be16(&icmp[2], base::internet_checksum(icmp));
  return length;
}

// ---- IPv6 ----

constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kIcmpv6 = 58;
constexpr std::uint8_t kDestinationOptions = 60;
constexpr std::uint8_t kIcmpv6Unreachable = 1;
constexpr std::uint8_t kAddressUnreachable = 3;
constexpr std::uint8_t kIcmpv6FirstQuestion = 128;  // below: errors
constexpr std::uint8_t kIcmpv6Redirect = 137;
constexpr int kExtensionsMax = 8;

bool is_one_ipv6_node(base::Bytes address) noexcept {
  const bool multicast = address[0] == 0xff;
  const bool zeros =
      std::all_of(address.begin(), address.end() - 1, [](std::uint8_t byte) { return byte == 0; });
  return !multicast && !(zeros && address[15] <= 1);  // :: and ::1
}

bool is_icmpv6_error(base::Bytes message) noexcept {
  return message.empty() || message[0] < kIcmpv6FirstQuestion || message[0] == kIcmpv6Redirect;
}

// Walks over the extension headers to see what the packet carries.
bool carries_answerable(base::Bytes packet) noexcept {
  std::uint8_t next = packet[6];
  std::size_t offset = base::kIpv6HeaderSize;
  for (int i = 0; i < kExtensionsMax; ++i) {
    if (next == kIcmpv6) return !is_icmpv6_error(packet.subspan(offset));
    const bool options = next == kHopByHop || next == kRouting || next == kDestinationOptions;
    if (!options && next != kFragment) return true;
    if (packet.size() < offset + 8) return false;
    if (next == kFragment && base::load_be16(&packet[offset + 2]) >> 3 != 0) return false;
    const std::size_t size = options ? (packet[offset + 1] + std::size_t{1}) * 8 : 8;
    if (packet.size() < offset + size) return false;
    next = packet[offset];
    offset += size;
  }
  return false;
}

bool may_answer_ipv6(base::Bytes packet, const base::IpHeader& header) noexcept {
  return is_one_ipv6_node(header.source) && is_one_ipv6_node(header.destination) &&
         carries_answerable(packet);
}

// The checksum of ICMPv6 covers addresses, length and protocol too (RFC 8200 8.1).
std::uint16_t icmpv6_checksum(base::Bytes answer) noexcept {
  const auto message = answer.subspan(base::kIpv6HeaderSize);
  std::uint32_t start = static_cast<std::uint32_t>(message.size()) + kIcmpv6;
  for (std::size_t i = 8; i < base::kIpv6HeaderSize; i += 2) start += base::load_be16(&answer[i]);
  return base::internet_checksum(message, start);
}

std::size_t write_ipv6(base::Bytes packet, const base::IpHeader& header,
                       base::MutableBytes answer) noexcept {
  constexpr std::size_t kHeaders = base::kIpv6HeaderSize + kIcmpHeaderSize;
  const auto quoted = packet.first(std::min(packet.size(), kUnreachableMax - kHeaders));
  const std::size_t length = kHeaders + quoted.size();
  std::fill_n(answer.begin(), kHeaders, std::uint8_t{0});
  answer[0] = 0x60;
  base::store_be16(&answer[4], static_cast<std::uint16_t>(length - base::kIpv6HeaderSize));
  answer[6] = kIcmpv6;
  answer[7] = kHopLimit;
  std::copy(header.destination.begin(), header.destination.end(), &answer[8]);
  std::copy(header.source.begin(), header.source.end(), &answer[24]);

  const auto icmp = answer.subspan(base::kIpv6HeaderSize);
  icmp[0] = kIcmpv6Unreachable;
  icmp[1] = kAddressUnreachable;
  std::copy(quoted.begin(), quoted.end(), &icmp[kIcmpHeaderSize]);
  base::store_be16(&icmp[2], icmpv6_checksum(answer.first(length)));
  return length;
}

}  // namespace

std::size_t write_unreachable(base::Bytes packet,
                              base::MutableBytesOf<kUnreachableMax> answer) noexcept {
  const auto header = base::read_ip_header(packet);
  if (!header) return 0;
  packet = packet.first(header->total_length);
  if (header->family == TUNNEL_FAMILY_IPV4) {
    return may_answer_ipv4(packet, *header) ? write_ipv4(packet, *header, answer) : 0;
  }
  return may_answer_ipv6(packet, *header) ? write_ipv6(packet, *header, answer) : 0;
}

TokenBucket::TokenBucket(std::uint32_t per_second, std::uint32_t burst) noexcept
    : interval_ns_(1'000'000'000 / per_second), window_ns_(interval_ns_ * burst) {}

bool TokenBucket::take(std::uint64_t mono_ns) noexcept {
  const std::uint64_t full_since = mono_ns > window_ns_ ? mono_ns - window_ns_ : 0;
  const std::uint64_t empty_at = std::max(empty_at_ns_, full_since);
  if (empty_at + interval_ns_ > mono_ns) return false;
  empty_at_ns_ = empty_at + interval_ns_;
  return true;
}

}  // namespace tunnel::engine
