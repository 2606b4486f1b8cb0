#include "base/ip.h"

#include <array>
#include <vector>

#include "support/catch.hpp"

using namespace tunnel::base;

namespace {

std::vector<std::uint8_t> ipv4(std::uint8_t first, std::uint16_t total, std::size_t size) {
  std::vector<std::uint8_t> packet(size, 0xaa);
  if (size > 0) packet[0] = first;
  if (size >= 4) store_be16(&packet[2], total);
  return packet;
}

std::vector<std::uint8_t> ipv6(std::uint16_t payload, std::size_t size) {
  std::vector<std::uint8_t> packet(size, 0xbb);
  packet[0] = 0x60;
  if (size >= 6) store_be16(&packet[4], payload);
  return packet;
}

}  // namespace

TEST_CASE("an IPv4 header is read when its lengths are honest", "[base][ip]") {
  struct Row {
    std::uint8_t first;
    std::uint16_t total;
    std::size_t size;
    bool accepted;
  };
  const std::array rows{
      Row{0x45, 20, 20, true},  Row{0x45, 28, 28, true},  Row{0x45, 28, 32, true},
      Row{0x46, 24, 24, true},  Row{0x4f, 60, 60, true},  Row{0x45, 0, 20, false},
      Row{0x45, 19, 20, false}, Row{0x45, 21, 20, false}, Row{0x45, 65535, 20, false},
      Row{0x44, 20, 20, false}, Row{0x40, 20, 20, false}, Row{0x46, 20, 24, false},
      Row{0x45, 20, 19, false}, Row{0x45, 20, 1, false},  Row{0x05, 20, 20, false},
      Row{0x15, 20, 20, false}, Row{0x55, 20, 20, false}, Row{0xf5, 20, 20, false},
  };
  for (const auto& row : rows) {
    const auto packet = ipv4(row.first, row.total, row.size);
    const auto header = read_ip_header(packet);
    CAPTURE(row.first, row.total, row.size);
    REQUIRE(header.has_value() == row.accepted);
    if (header) CHECK(header->total_length == row.total);
  }
}

TEST_CASE("an IPv6 length that wraps in 16 bits is refused", "[base][ip]") {
  CHECK(read_ip_header(ipv6(0, 40)).has_value());
  CHECK(read_ip_header(ipv6(8, 48))->total_length == 48);
  CHECK(read_ip_header(ipv6(8, 64))->total_length == 48);
  CHECK_FALSE(read_ip_header(ipv6(9, 48)));
  CHECK_FALSE(read_ip_header(ipv6(0, 39)));
  CHECK_FALSE(read_ip_header(ipv6(65535, 1400)));
  CHECK_FALSE(read_ip_header(ipv6(65500, 1400)));
}

TEST_CASE("an empty packet has no header", "[base][ip]") {
  CHECK_FALSE(read_ip_header({}));
}

TEST_CASE("the internet checksum matches the example of RFC 1071", "[base][ip]") {
  const std::array<std::uint8_t, 8> words{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  CHECK(internet_checksum(words) == static_cast<std::uint16_t>(~0xddf2));
  const std::array<std::uint8_t, 3> odd{0x01, 0x02, 0x03};
  CHECK(internet_checksum(odd) == static_cast<std::uint16_t>(~(0x0102 + 0x0300)));
}
