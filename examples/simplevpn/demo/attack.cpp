#include "attack.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "topology.h"

namespace simplevpn::demo {
namespace {

constexpr std::size_t kKeepalive = 32;
constexpr std::size_t kLargest = 1500;  // a train of segments is no datagram

bool is_data_to_server(const Packet& packet) {
  if (!packet.is_tunnel() || packet.bytes.size() > kLargest) return false;
  const std::size_t message = packet.message_offset();
  const std::size_t port = message - 6;
  return packet.bytes[port] == (kServerPort >> 8) &&
         packet.bytes[port + 1] == (kServerPort & 255) &&
         packet.bytes.size() > message + kKeepalive && packet.message_type() == kData;
}

int open_raw_socket() {
  return socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
}

// The kernel forgives a missing UDP sum, but not one that an interface was to finish, or that no
// longer fits.
void clear_udp_sum(std::vector<std::uint8_t>& packet) {
  const std::size_t sum = (packet[0] & 15u) * 4u + 6;
  packet[sum] = packet[sum + 1] = 0;
}

}  // namespace

std::vector<Packet> data_to_server(const std::vector<Packet>& packets, std::size_t count) {
  std::vector<Packet> chosen;
  for (const Packet& packet : packets) {
    if (chosen.size() < count && is_data_to_server(packet)) chosen.push_back(packet);
  }
  return chosen;
}

void tamper(std::vector<Packet>& packets) {
  std::size_t step = 0;
  for (Packet& packet : packets) {
    const std::size_t message = packet.message_offset();
    const std::size_t bits = (packet.bytes.size() - message) * 8;
    const std::size_t bit = step++ * 7919 % bits;  // a prime: all over the message
    std::uint8_t& byte = packet.bytes[message + bit / 8];
    byte = static_cast<std::uint8_t>(byte ^ 1u << bit % 8);
  }
}

std::size_t inject(const Host& host, std::span<const Packet> packets) {
  const Descriptor socket = host.open_socket(open_raw_socket);
  std::size_t sent = 0;
  for (const Packet& packet : packets) {
    std::vector<std::uint8_t> bytes = packet.bytes;
    clear_udp_sum(bytes);
    sockaddr_in target{};
    target.sin_family = AF_INET;
    std::memcpy(&target.sin_addr, bytes.data() + 16, 4);
    const ssize_t taken = sendto(socket.get(), bytes.data(), bytes.size(), 0,
                                 reinterpret_cast<const sockaddr*>(&target), sizeof target);
    if (taken == static_cast<ssize_t>(bytes.size())) ++sent;
  }
  return sent;
}

}  // namespace simplevpn::demo
