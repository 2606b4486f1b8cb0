// shapes.h — TCP and UDP packets made slowly and plainly, field by field: the reference that the
// splitter and the coalescer are compared with.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/base.h"
#include "device/virtio.h"

namespace test {

// Everything that a packet of a flow is made of.
struct Shape {
  bool ipv6 = false;
  bool tcp = true;
  std::uint8_t host = 1;  // last byte of the source address
  std::uint16_t port = 1000;
  std::uint8_t tos = 0;
  std::uint8_t ttl = 64;
  std::uint16_t id = 7;
  std::uint16_t fragment = 0x4000;  // flags and offset; DF
  std::uint32_t label = 0x12345;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 99;
  std::uint8_t flags = 0x10;  // ACK
  std::uint8_t reserved = 0;
  std::uint16_t window = 500;
  std::uint16_t urgent = 0;
  std::string options;     // of TCP, a multiple of 4
  std::string ip_options;  // of IPv4, a multiple of 4
  std::string extensions;  // of IPv6: one extension header that names the transport itself
  bool summed = true;      // UDP: with a checksum
  std::string payload;

  [[nodiscard]] std::size_t transport() const {
    return ipv6 ? 40 + extensions.size() : 20 + ip_options.size();
  }
  [[nodiscard]] std::size_t header_size() const {
    return transport() + (tcp ? 20 + options.size() : 8);
  }
};

inline void put16(std::string& to, std::size_t value) {
  to += static_cast<char>(value >> 8 & 0xff);
  to += static_cast<char>(value & 0xff);
}

inline void put32(std::string& to, std::uint32_t value) {
  put16(to, value >> 16);
  put16(to, value & 0xffff);
}

inline tunnel::base::Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline void set16(std::string& text, std::size_t at, std::uint16_t value) {
  text[at] = static_cast<char>(value >> 8);
  text[at + 1] = static_cast<char>(value & 0xff);
}

inline std::string transport_of(const Shape& shape) {
  std::string out;
  put16(out, shape.port);
  put16(out, 80);
  if (shape.tcp) {
    put32(out, shape.sequence);
    put32(out, shape.acknowledged);
    out += static_cast<char>((20 + shape.options.size()) / 4 << 4 | shape.reserved);
    out += static_cast<char>(shape.flags);
    put16(out, shape.window);
    put16(out, 0);
    put16(out, shape.urgent);
    out += shape.options;
  } else {
    put16(out, 8 + shape.payload.size());
    put16(out, 0);
  }
  return out + shape.payload;
}

inline std::string addresses_of(const Shape& shape) {
  if (!shape.ipv6) return {10, 0, 0, static_cast<char>(shape.host), 10, 0, 1, 1};
  std::string out(32, '\x20');
  out[15] = static_cast<char>(shape.host);
  out[31] = 1;
  return out;
}

inline std::string ip_of(const Shape& shape, std::size_t length) {
  std::string out;
  const char protocol = shape.tcp ? 6 : 17;
  if (shape.ipv6) {
    put32(out, 0x60000000u | std::uint32_t{shape.tos} << 20 | shape.label);
    put16(out, shape.extensions.size() + length);
    out += shape.extensions.empty() ? protocol : char{60};
    out += static_cast<char>(shape.ttl);
    return out + addresses_of(shape) + shape.extensions;
  }
  out += static_cast<char>(0x45 + shape.ip_options.size() / 4);
  out += static_cast<char>(shape.tos);
  put16(out, 20 + shape.ip_options.size() + length);
  put16(out, shape.id);
  put16(out, shape.fragment);
  out += static_cast<char>(shape.ttl);
  out += protocol;
  put16(out, 0);
  out += addresses_of(shape) + shape.ip_options;
  set16(out, 10, tunnel::base::internet_checksum(bytes_of(out)));
  return out;
}

// The sum of the pseudo header, as internet_checksum() gives it: complemented.
inline std::uint16_t pseudo_of(const Shape& shape, std::size_t length) {
  const auto start = static_cast<std::uint32_t>(length) + (shape.tcp ? 6 : 17);
  return tunnel::base::internet_checksum(bytes_of(addresses_of(shape)), start);
}

// The packet, with right checksums.
inline std::string packet_of(const Shape& shape) {
  std::string out = transport_of(shape);
  const auto pseudo = static_cast<std::uint16_t>(~pseudo_of(shape, out.size()));
  const std::size_t field = shape.tcp ? 16 : 6;
  if (shape.tcp || shape.summed) {
    std::uint16_t sum = tunnel::base::internet_checksum(bytes_of(out), pseudo);
    if (sum == 0 && !shape.tcp) sum = 0xffff;
    set16(out, field, sum);
  }
  return ip_of(shape, out.size()) + out;
}

// The packet as the kernel hands it over: with the pseudo header's sum in place of the checksum.
inline std::string unsummed_of(const Shape& shape) {
  std::string out = packet_of(shape);
  const auto pseudo = static_cast<std::uint16_t>(~pseudo_of(shape, out.size() - shape.transport()));
  set16(out, shape.transport() + (shape.tcp ? 16 : 6), shape.tcp || shape.summed ? pseudo : 0);
  return out;
}

inline tunnel::device::VirtioHeader virtio_of(const Shape& shape, std::size_t segment_size) {
  tunnel::device::VirtioHeader header;
  header.flags = 1;
  header.type = !shape.tcp ? 5 : shape.ipv6 ? 4 : 1;
  header.header_size = static_cast<std::uint16_t>(shape.header_size());
  header.segment_size = static_cast<std::uint16_t>(segment_size);
  header.checksum_start = static_cast<std::uint16_t>(shape.transport());
  header.checksum_offset = shape.tcp ? 16 : 6;
  return header;
}

// The shapes of the packets that a superpacket stands for.
inline std::vector<Shape> cut(const Shape& whole, std::size_t segment_size) {
  std::vector<Shape> out;
  for (std::size_t at = 0; at == 0 || at < whole.payload.size(); at += segment_size) {
    Shape part = whole;
    part.payload = whole.payload.substr(at, segment_size);
    part.id = static_cast<std::uint16_t>(whole.id + out.size());
    part.sequence = whole.sequence + static_cast<std::uint32_t>(at);
    if (at != 0) part.flags &= 0x7f;                                          // CWR
    if (at + segment_size < whole.payload.size()) part.flags &= 0xff ^ 0x09;  // FIN, PSH
    out.push_back(part);
  }
  return out;
}

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}

  // In [0, below).
  std::uint32_t number(std::uint32_t below) {
    return static_cast<std::uint32_t>(engine_()) % below;
  }
  bool chance(std::uint32_t of) { return number(of) == 0; }
  std::string text(std::size_t size) {
    std::string out(size, 0);
    for (char& each : out) each = static_cast<char>(engine_());
    return out;
  }
  Shape shape() {
    Shape out;
    out.ipv6 = chance(2);
    out.tcp = !chance(3);
    out.tos = static_cast<std::uint8_t>(number(256));
    out.ttl = static_cast<std::uint8_t>(number(256));
    out.id = static_cast<std::uint16_t>(chance(2) ? 0xfff0 + number(16) : number(0x10000));
    out.fragment = chance(2) ? 0x4000 : 0;
    out.sequence = chance(2) ? 0xffffff00 + number(256) : number(0xffffffff);
    out.window = static_cast<std::uint16_t>(number(0x10000));
    out.options = out.tcp ? text(4 * number(11)) : "";
    return out;
  }

 private:
  std::mt19937 engine_;
};

}  // namespace test
