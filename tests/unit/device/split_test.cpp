#include "device/split.h"

#include "support/catch.hpp"
#include "support/shapes.h"

namespace base = tunnel::base;
namespace device = tunnel::device;
using device::VirtioHeader;
using test::Shape;

namespace {

base::MutableBytes writable(std::string& text) {
  return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()};
}

// Nothing when the superpacket is refused.
std::vector<std::string> split(const VirtioHeader& header, std::string packet) {
  std::vector<std::string> out;
  device::Splitter splitter;
  if (!splitter.begin(header, writable(packet))) {
    CHECK(splitter.empty());
    return out;
  }
  while (!splitter.empty()) {
    std::string place(splitter.next_length(), 'x');
    splitter.next(writable(place));
    out.push_back(place);
  }
  return out;
}

std::vector<std::string> packets_of(const std::vector<Shape>& shapes) {
  std::vector<std::string> out;
  for (const Shape& shape : shapes) out.push_back(test::packet_of(shape));
  return out;
}

Shape superpacket(bool ipv6 = false, bool tcp = true) {
  Shape shape;
  shape.ipv6 = ipv6;
  shape.tcp = tcp;
  shape.payload = test::Random(3).text(3000);
  return shape;
}

}  // namespace

TEST_CASE("a superpacket is cut as the slow reference cuts it", "[device][split]") {
  test::Random random(4);
  for (int i = 0; i < 1500; ++i) {
    Shape shape = random.shape();
    shape.flags = static_cast<std::uint8_t>(random.number(256));
    shape.ip_options = random.chance(4) && !shape.ipv6 ? random.text(8) : "";
    shape.payload = random.text(random.chance(8) ? 60'000 : random.number(9000));
    const std::size_t size = random.chance(4) ? 1 + random.number(100) : 500 + random.number(9000);
    const auto header = test::virtio_of(shape, size);
    if (split(header, test::unsummed_of(shape)) != packets_of(test::cut(shape, size))) {
      FAIL("round " << i << ", segments of " << size);
    }
  }
}

TEST_CASE("what the kernel says of the header's size is not believed", "[device][split]") {
  for (const std::uint16_t wrong : std::initializer_list<std::uint16_t>{0, 1, 14, 54, 65535}) {
    const Shape shape = superpacket();
    auto header = test::virtio_of(shape, 1000);
    header.header_size = wrong;
    CHECK(split(header, test::unsummed_of(shape)) == packets_of(test::cut(shape, 1000)));
  }
}

TEST_CASE("a forwarded superpacket whose checksum holds is cut", "[device][split]") {
  for (const bool ipv6 : {false, true}) {
    for (const bool tcp : {false, true}) {
      const Shape shape = superpacket(ipv6, tcp);
      auto header = test::virtio_of(shape, 1000);
      header.flags = 2;  // DATA_VALID
      header.checksum_start = header.checksum_offset = 0;
      CHECK(split(header, test::packet_of(shape)) == packets_of(test::cut(shape, 1000)));
    }
  }
}

TEST_CASE("extension headers stay before each segment", "[device][split]") {
  Shape shape = superpacket(true);
  shape.extensions = std::string("\x06\x00\x01\x04\x00\x00\x00\x00", 8);
  const auto header = test::virtio_of(shape, 1000);
  CHECK(split(header, test::unsummed_of(shape)) == packets_of(test::cut(shape, 1000)));
}

TEST_CASE("a UDP superpacket without checksum gives datagrams without", "[device][split]") {
  Shape shape = superpacket(false, false);
  shape.summed = false;
  const auto header = test::virtio_of(shape, 1000);
  CHECK(split(header, test::unsummed_of(shape)) == packets_of(test::cut(shape, 1000)));
}

TEST_CASE("a packet that is left without checksum gets one", "[device][split]") {
  for (const bool tcp : {false, true}) {
    const Shape shape = superpacket(false, tcp);
    auto header = test::virtio_of(shape, 0);
    header.type = 0;
    CHECK(split(header, test::unsummed_of(shape)) == std::vector{test::packet_of(shape)});
  }
}

TEST_CASE("a checksum of zero is written as the other zero", "[device][split]") {
  std::string packet("\xff\xff\x00\x00", 4);
  VirtioHeader header;
  header.flags = 1;
  header.checksum_offset = 2;
  REQUIRE(device::complete_checksum(header, writable(packet)));
  CHECK(packet == "\xff\xff\xff\xff");
}

TEST_CASE("a packet that needs nothing stays as it is", "[device][split]") {
  const std::string odd = "\x99 not even IP";
  CHECK(split({}, odd) == std::vector{odd});
}

TEST_CASE("a header that contradicts its packet is refused", "[device][split]") {
  struct Case {
    const char* what;
    void (*spoil)(VirtioHeader&, std::string&);
  };
  const Case cases[] = {
      {"segments of nothing", [](VirtioHeader& h, std::string&) { h.segment_size = 0; }},
      {"another type", [](VirtioHeader& h, std::string&) { h.type = 3; }},
      {"an unknown type", [](VirtioHeader& h, std::string&) { h.type = 99; }},
      {"the other IP version", [](VirtioHeader& h, std::string&) { h.type = 4; }},
      {"a sum outside", [](VirtioHeader& h, std::string&) { h.checksum_start = 65'535; }},
      {"a sum inside the IP header", [](VirtioHeader& h, std::string&) { h.checksum_start = 19; }},
      {"a sum behind the header", [](VirtioHeader& h, std::string&) { h.checksum_start = 24; }},
      {"a strange field", [](VirtioHeader& h, std::string&) { h.checksum_offset = 6; }},
      {"no transport header", [](VirtioHeader&, std::string& p) { p.resize(39); }},
      {"a cut packet", [](VirtioHeader&, std::string& p) { p.resize(2000); }},
      {"a long packet", [](VirtioHeader&, std::string& p) { p += "more"; }},
      {"no packet", [](VirtioHeader&, std::string& p) { p.clear(); }},
      {"another protocol", [](VirtioHeader&, std::string& p) { p[9] = 17; }},
      {"IP header too short", [](VirtioHeader&, std::string& p) { p[0] = 0x44; }},
      {"TCP header too short", [](VirtioHeader&, std::string& p) { p[32] = 0x40; }},
      {"no IP version", [](VirtioHeader&, std::string& p) { p[0] = 0x55; }},
  };
  for (const Case& each : cases) {
    CAPTURE(each.what);
    const Shape shape = superpacket();
    auto header = test::virtio_of(shape, 1000);
    std::string packet = test::unsummed_of(shape);
    each.spoil(header, packet);
    CHECK(split(header, packet).empty());
  }
}

TEST_CASE("a TCP header that reaches past its packet is refused", "[device][split]") {
  Shape shape = superpacket();
  shape.payload = "few";
  std::string packet = test::unsummed_of(shape);
  packet[32] = '\xf0';
  CHECK(split(test::virtio_of(shape, 1000), packet).empty());
}

TEST_CASE("a checksum field outside of a single packet is refused", "[device][split]") {
  std::string packet(40, 'p');
  VirtioHeader header;
  header.flags = 1;
  for (const auto& [start, offset] : {std::pair{39, 0}, {40, 0}, {0, 39}, {65'535, 65'535}}) {
    header.checksum_start = static_cast<std::uint16_t>(start);
    header.checksum_offset = static_cast<std::uint16_t>(offset);
    CHECK_FALSE(device::complete_checksum(header, writable(packet)));
    CHECK(packet == std::string(40, 'p'));
  }
}

TEST_CASE("a place that is too short gets the beginning of the segment", "[device][split]") {
  const Shape shape = superpacket();
  std::string packet = test::unsummed_of(shape);
  device::Splitter splitter;
  REQUIRE(splitter.begin(test::virtio_of(shape, 1000), writable(packet)));
  REQUIRE(splitter.segments_left() == 3);
  std::string place(600, 'x');
  splitter.next({writable(place).data(), 500});
  CHECK(place == packet.substr(0, 500) + std::string(100, 'x'));
  splitter.next({writable(place).data(), 10});
  std::string last(splitter.next_length(), 'x');
  splitter.next(writable(last));
  CHECK(last == test::packet_of(test::cut(shape, 1000)[2]));
  CHECK(splitter.empty());
}
