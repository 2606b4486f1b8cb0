// virtio.h — the header that stands before each packet of a TUN with IFF_VNET_HDR: what the kernel
// left to us on the way out, and what we leave to it on the way in.
#pragma once

#include <cstdint>

namespace tunnel::device {

// struct virtio_net_hdr_mrg_rxbuf: numbers in host order. The kernel's default is the first 10
// bytes.
struct VirtioHeader {
  static constexpr std::size_t kShort = 10;
  static constexpr std::size_t kLong = 12;

  std::uint8_t flags = 0;
  std::uint8_t type = 0;              // what the packet is to be cut into
  std::uint16_t header_size = 0;      // a hint, and often wrong: never used
  std::uint16_t segment_size = 0;     // payload of each segment but the last
  std::uint16_t checksum_start = 0;   // first byte that is summed
  std::uint16_t checksum_offset = 0;  // from there to the checksum field
  std::uint16_t buffers = 0;
};
static_assert(sizeof(VirtioHeader) == VirtioHeader::kLong);

inline constexpr std::uint8_t kNeedsChecksum = 1;  // flags

inline constexpr std::uint8_t kWhole = 0;  // type: one packet
inline constexpr std::uint8_t kTcp4Segments = 1;
inline constexpr std::uint8_t kTcp6Segments = 4;
inline constexpr std::uint8_t kUdpSegments = 5;
inline constexpr std::uint8_t kEcnBit = 0x80;  // the first segment has CWR

}  // namespace tunnel::device
