// capture.h - every packet that a host sees on its interfaces, from now on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host.h"

namespace simplevpn::demo {

// A packet as it came in (each is seen once: those going out are left aside).
struct Packet {
  int interface = 0;
  std::uint16_t protocol = 0;       // ETH_P_…
  std::vector<std::uint8_t> bytes;  // from the network header on

  bool is_tunnel() const;  // UDP over IPv4 from or to the server's port
  // The datagram's content, when is_tunnel().
  std::vector<std::uint8_t> datagram() const;
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
