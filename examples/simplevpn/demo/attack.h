// attack.h - what somebody on the path can do: send what he saw once more, or changed.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "capture.h"
#include "host.h"

namespace simplevpn::demo {

// The first `count` different data datagrams from client to server among the captured packets,
// each with its IP and UDP header.
std::vector<Packet> data_to_server(const std::vector<Packet>& packets, std::size_t count);

// Flips one bit of each datagram, each time at another place of the WireGuard message.
void tamper(std::vector<Packet>& packets);

// Sends the packets from `host` as they are: with the addresses and ports of the original sender.
// Returns how many were sent.
std::size_t inject(const Host& host, std::span<const Packet> packets);

}  // namespace simplevpn::demo
