#include "device/headers.h"

#include "device/checksum.h"

namespace tunnel::device {

std::uint32_t pseudo_sum(base::Bytes packet, std::uint8_t protocol, std::size_t length) noexcept {
  const auto rest = protocol + static_cast<std::uint32_t>(length);
  return ones_sum(addresses(packet), rest);
}

void set_ip_length(base::MutableBytes header, std::size_t total) noexcept {
  if (!is_ipv4(header)) {
    base::store_be16(&header[4], static_cast<std::uint16_t>(total - base::kIpv6HeaderSize));
    return;
  }
  base::store_be16(&header[2], static_cast<std::uint16_t>(total));
  base::store_be16(&header[10], 0);
  base::store_be16(&header[10], static_cast<std::uint16_t>(~ones_sum(header)));
}

}  // namespace tunnel::device
