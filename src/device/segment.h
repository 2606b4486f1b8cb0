// segment.h — what merging has to know of one packet, read from its bytes.
//
// The bytes come from a peer: an authenticated one, but not a friend.
#pragma once

#include "base/base.h"

namespace tunnel::device {

// A packet as a part of a TCP or UDP flow.
struct Segment {
  enum class Kind : std::uint8_t {
    broken,   // no IP packet: belongs to no flow
    foreign,  // an IP packet whose flow cannot be told: a fragment, options, another protocol
    alone,    // of a flow, and must be written by itself: no payload, SYN, FIN, ...
    merges,   // of a flow, and may continue or be continued
  };

  Kind kind = Kind::broken;
  std::uint8_t protocol = 0;      // kTcp or kUdp when it is of a flow
  std::uint16_t transport = 0;    // where the TCP or UDP header begins
  std::uint16_t header_size = 0;  // bytes before the payload
  std::uint16_t payload = 0;      // bytes of payload
  bool push = false;              // TCP: has PSH

  [[nodiscard]] bool of_flow() const noexcept { return kind >= Kind::alone; }
};

Segment read_segment(base::Bytes packet) noexcept;

// Of the flow of a segment that is of one: addresses, ports and protocol, well mixed.
std::uint32_t flow_hash(base::Bytes packet, const Segment& segment) noexcept;

// Whether both packets, which have a whole IP header, are between the same addresses, in the same
// direction.
bool same_addresses(base::Bytes a, base::Bytes b) noexcept;

// A packet that was read.
struct Reading {
  base::Bytes packet;
  Segment segment;
};

bool same_flow(const Reading& a, const Reading& b) noexcept;

// Whether two packets of one flow that both may be merged have the same headers, but for what
// differs from one segment to the next: lengths, checksums, IP identification, sequence number and
// PSH.
bool same_headers(const Reading& a, const Reading& b) noexcept;

// Whether the checksums of the transport and of an IPv4 header are right. UDP over IPv4 may be
// without.
bool checksums_hold(const Reading& reading) noexcept;

}  // namespace tunnel::device
