// ping.h - ICMP echo, from inside a host, one at a time.
#pragma once

#include <cstdint>
#include <string>

#include "host.h"

namespace simplevpn::demo {

// Stands in every packet that the demo sends through the tunnel. Where it is seen, somebody reads
// along.
constexpr char kMarker[] = "THIS-IS-PLAINTEXT-0123456789";

struct PingResult {
  std::uint32_t sent = 0;
  std::uint32_t answered = 0;
  double median_ms = 0;
  double worst_ms = 0;
};

// `count` echo requests with the marker to an IPv4 or IPv6 address, the next as soon as one was
// answered or a second has passed. Five lost in a row end it.
PingResult ping(const Host& from, const std::string& to, std::uint32_t count);

// Waits until an address answers at all.
bool answers(const Host& from, const std::string& to, double seconds);

}  // namespace simplevpn::demo
