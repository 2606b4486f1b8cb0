// capture.h - every packet that a host sees on its interfaces, from now on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host.h"

namespace simplevpn::demo {

// Types of WireGuard's messages.
constexpr std::uint8_t kInitiation = 1;
constexpr std::uint8_t kData = 4;

// A packet as it came in (each is seen once: those going out are left aside).
struct Packet {
  double seconds = 0;               // wall clock, by the kernel
  std::uint16_t protocol = 0;       // ETH_P_…
  std::vector<std::uint8_t> bytes;  // from the network header on

  bool is_tunnel() const;              // UDP over IPv4 from or to the server's port
  std::size_t message_offset() const;  // where WireGuard's message begins, when is_tunnel()
  std::uint8_t message_type() const;   // 1 initiation, 2 response, 3 cookie, 4 data; 0 other
  bool has_marker() const;
  // Neighbours looking for each other: ARP, and ICMPv6 within the link.
  bool is_housekeeping() const;
};

class Capture {
 public:
  // Begins at once. Check valid().
  explicit Capture(const Host& host);
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture();

  bool valid() const { return ring_ != nullptr; }
  // Everything until now, in order. The capture has ended then.
  std::vector<Packet> stop();
  // Packets for which there was no room.
  std::uint32_t lost() const { return lost_; }

 private:
  Descriptor socket_;
  std::uint8_t* ring_ = nullptr;
  std::uint32_t lost_ = 0;
};

}  // namespace simplevpn::demo
