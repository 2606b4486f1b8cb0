#include "protocol/wire.h"

#include <vector>

#include "support/catch.hpp"

using namespace tunnel;
using namespace tunnel::protocol;

namespace {

std::vector<std::uint8_t> datagram(std::uint8_t type, std::size_t length) {
  std::vector<std::uint8_t> bytes(length);
  if (length > 0) bytes[0] = type;
  return bytes;
}

}  // namespace

TEST_CASE("a datagram is classified by type, reserved bytes and length", "[protocol][wire]") {
  struct Row {
    std::uint8_t type;
    std::size_t length;
    std::optional<MessageType> expected;
  };
  const Row rows[] = {
      {1, 148, MessageType::initiation},
      {1, 147, {}},
      {1, 149, {}},
      {2, 92, MessageType::response},
      {2, 91, {}},
      {2, 93, {}},
      {3, 64, MessageType::cookie},
      {3, 63, {}},
      {3, 65, {}},
      {4, 32, MessageType::data},
      {4, 31, {}},
      {4, 16, {}},
      {4, 33, MessageType::data},
      {0, 148, {}},
      {5, 148, {}},
      {4, 65507, MessageType::data},
      {1, 3, {}},
      {4, 0, {}},
      {255, 148, {}},
      {2, 148, {}},
      {1, 92, {}},
  };
  for (const auto& row : rows) {
    INFO("type " << int{row.type} << ", length " << row.length);
    CHECK(classify(datagram(row.type, row.length)) == row.expected);
  }
}

TEST_CASE("a reserved byte that is not zero is refused for every type", "[protocol][wire]") {
  const std::size_t lengths[] = {148, 92, 64, 32};
  for (std::uint8_t type = 1; type <= 4; ++type) {
    for (std::size_t i = 1; i <= 3; ++i) {
      auto bytes = datagram(type, lengths[type - 1]);
      REQUIRE(classify(bytes));
      bytes[i] = 0x80;
      CHECK_FALSE(classify(bytes));
    }
  }
}

TEST_CASE("indices are read where each message type keeps them", "[protocol][wire]") {
  auto bytes = datagram(2, 92);
  base::store_le32(&bytes[4], 0x01020304);
  base::store_le32(&bytes[8], 0x05060708);
  CHECK(sender_index(bytes) == 0x01020304);
  CHECK(receiver_index(bytes) == 0x05060708);
  for (const auto type : {std::uint8_t{3}, std::uint8_t{4}}) {
    bytes[0] = type;
    CHECK(receiver_index(bytes) == 0x01020304);
  }
}

TEST_CASE("a data header survives writing and reading, byte for byte", "[protocol][wire]") {
  std::uint8_t bytes[kDataHeaderSize];
  write_data_header(bytes, {0xa1b2c3d4, 0x0102030405060708});
  const std::uint8_t expected[] = {4, 0, 0, 0, 0xd4, 0xc3, 0xb2, 0xa1, 8, 7, 6, 5, 4, 3, 2, 1};
  CHECK(std::memcmp(bytes, expected, sizeof expected) == 0);
  CHECK(read_data_header(bytes).receiver == 0xa1b2c3d4);
  CHECK(read_data_header(bytes).counter == 0x0102030405060708);
}

TEST_CASE("padding fills to 16 bytes and never past the MTU", "[protocol][wire]") {
  struct Row {
    std::uint32_t length, mtu, padded;
  };
  const Row rows[] = {
      {0, 1420, 0},       {1, 1420, 16},      {15, 1420, 16},
      {16, 1420, 16},     {17, 1420, 32},     {1408, 1420, 1408},
      {1409, 1420, 1420}, {1419, 1420, 1420}, {1420, 1420, 1420},  // not 1424
      {1421, 1420, 1436},                                          // last unit is 1 byte
      {2840, 1420, 2840}, {2841, 1420, 2856},  // two whole units, and one byte more
      {0, 0, 0},          {1, 0, 16},         {17, 0, 32},
      {1420, 0, 1424},    {1, 1, 1},          {20, 17, 33},  // an MTU smaller than the multiple
  };
  for (const auto& row : rows) {
    INFO("length " << row.length << ", mtu " << row.mtu);
    CHECK(padded_length(row.length, row.mtu) == row.padded);
  }
}
