// split.cpp — a superpacket and its virtio header, as a hostile kernel or a hostile program that
// forwards through us would make them. Whatever they say, nothing is read or written outside of the
// packet, and what is cut is all of it.
#include "device/split.h"

#include <cstring>
#include <vector>

#include "fuzz/input.h"

namespace device = tunnel::device;
using tunnel::fuzz::expect;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tunnel::fuzz::Input input(data, size);
  device::VirtioHeader header;
  const auto fields = input.bytes<device::VirtioHeader::kShort>();
  std::memcpy(static_cast<void*>(&header), fields.data(), fields.size());
  const std::size_t shorter = input.byte();
  std::vector<std::uint8_t> packet(input.rest().begin(), input.rest().end());
  device::Splitter splitter;
  if (!splitter.begin(header, packet)) {
    expect(splitter.empty(), "a refused superpacket has no segments");
    return 0;
  }
  const std::size_t longest = splitter.next_length();
  const std::size_t segments = splitter.segments_left();
  expect(segments == 1 || header.segment_size != 0, "segments have a size");
  std::size_t laid = 0, count = 0;
  for (; !splitter.empty(); ++count) {
    const std::size_t length = splitter.next_length();
    expect(length <= longest && length <= packet.size(), "no segment is longer than the first");
    // Every other place is too short when the input wants it so.
    std::vector<std::uint8_t> place(count % 2 != 0 && shorter < length ? length - shorter : length);
    splitter.next(place);
    laid += length;
    if (segments > 1 && place.size() == length) {
      const auto ip = tunnel::base::read_ip_header(place);
      expect(ip && ip->total_length == length, "a segment is an IP packet of its length");
    }
  }
  expect(count == segments, "as many segments as announced");
  const std::size_t header_size = segments > 1 ? longest - header.segment_size : 0;
  expect(laid == packet.size() + (segments - 1) * header_size, "all of the payload is laid");
  return 0;
}
