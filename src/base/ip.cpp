#include "base/ip.h"

namespace tunnel::base {

namespace {

std::optional<IpHeader> read_ipv4(Bytes packet) noexcept {
  if (packet.size() < kIpv4HeaderSize) return std::nullopt;
  const std::size_t header_size = (packet[0] & 0x0f) * std::size_t{4};
  const std::uint32_t total = load_be16(&packet[2]);
  if (header_size < kIpv4HeaderSize || total < header_size || total > packet.size()) {
    return std::nullopt;
  }
  return IpHeader{TUNNEL_FAMILY_IPV4, total, packet.subspan(12, 4), packet.subspan(16, 4)};
}

std::optional<IpHeader> read_ipv6(Bytes packet) noexcept {
  if (packet.size() < kIpv6HeaderSize) return std::nullopt;
  // 32 bits on purpose: 65,535 + 40 does not fit into 16 (a fault of wireguard-go).
  const std::uint32_t total = std::uint32_t{load_be16(&packet[4])} + kIpv6HeaderSize;
  if (total > packet.size()) return std::nullopt;
  return IpHeader{TUNNEL_FAMILY_IPV6, total, packet.subspan(8, 16), packet.subspan(24, 16)};
}

}  // namespace

std::optional<IpHeader> read_ip_header(Bytes packet) noexcept {
  if (packet.empty()) return std::nullopt;
  const auto version = packet[0] >> 4;
  if (version == 4) return read_ipv4(packet);
  if (version == 6) return read_ipv6(packet);
  return std::nullopt;
}

std::uint16_t internet_checksum(Bytes bytes, std::uint32_t start) noexcept {
  std::uint64_t sum = start;
  std::size_t i = 0;
  for (; i + 1 < bytes.size(); i += 2) sum += load_be16(&bytes[i]);
  if (i < bytes.size()) sum += std::uint64_t{bytes[i]} << 8;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

bool same_address(const tunnel_address& a, const tunnel_address& b) noexcept {
  return a.family == b.family && a.carrier == b.carrier && a.port == b.port && a.scope == b.scope &&
         std::memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

}  // namespace tunnel::base
