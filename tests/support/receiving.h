// receiving.h — a pretended socket for ReceiveBatch, and a slow reading of what must come out.
#pragma once

#include <netinet/udp.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "transport/receive_linux.h"

namespace test {

struct Message {
  std::string bytes;
  int segment = 0;  // what the kernel says, 0 = nothing
  std::uint16_t port = 1;
  int error = 0;  // instead of a message
};

struct Datagram {
  std::string bytes;
  std::uint16_t port;
  bool cut;
  friend bool operator==(const Datagram&, const Datagram&) = default;
};

// The socket. A plain function stands for the system call, so there is one of it.
inline std::deque<Message> waiting_messages;

inline void hand_over(const Message& message, mmsghdr& into) {
  msghdr& header = into.msg_hdr;
  std::size_t at = 0;
  for (std::size_t i = 0; i < header.msg_iovlen; ++i) {
    const std::size_t part = std::min(header.msg_iov[i].iov_len, message.bytes.size() - at);
    std::memcpy(header.msg_iov[i].iov_base, message.bytes.data() + at, part);
    at += part;
  }
  into.msg_len = static_cast<unsigned>(at);
  header.msg_flags = at < message.bytes.size() ? MSG_TRUNC : 0;
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(message.port);
  std::memcpy(header.msg_name, &name, sizeof name);
  header.msg_controllen = 0;
  if (message.segment == 0) return;
  const cmsghdr control{CMSG_LEN(sizeof(int)), IPPROTO_UDP, UDP_GRO};
  auto* bytes = static_cast<std::uint8_t*>(header.msg_control);
  std::memcpy(bytes, &control, sizeof control);
  std::memcpy(bytes + CMSG_LEN(0), &message.segment, sizeof message.segment);
  header.msg_controllen = CMSG_SPACE(sizeof(int));
}

inline int pretend_to_receive(int, mmsghdr* messages, unsigned count) {
  unsigned got = 0;
  for (; got < count && !waiting_messages.empty(); ++got) {
    if (waiting_messages.front().error != 0) break;
    hand_over(waiting_messages.front(), messages[got]);
    waiting_messages.pop_front();
  }
  if (got != 0) return static_cast<int>(got);
  errno = EAGAIN;
  if (!waiting_messages.empty()) {
    errno = waiting_messages.front().error;
    waiting_messages.pop_front();
  }
  return -1;
}

// What comes out of a message, by the rules alone.
inline void cut_up(const Message& message, std::size_t room, std::vector<Datagram>& datagrams) {
  if (message.error != 0) return;
  const auto segment = static_cast<std::size_t>(std::max(message.segment, 0));
  std::string rest = message.bytes;
  do {
    const std::size_t own = segment == 0 ? rest.size() : std::min(segment, rest.size());
    datagrams.push_back({rest.substr(0, std::min(own, room)), message.port, own > room});
    rest.erase(0, own);
  } while (!rest.empty());
}

// No byte belongs to two packets, and none lies outside of the slab.
inline bool lie_apart(const tunnel_slab& slab, std::span<const tunnel_packet> packets) {
  const std::uint8_t* free_from = slab.bytes;
  for (const auto& packet : packets) {
    if (packet.room < packet.length || packet.data - packet.headroom < free_from) return false;
    free_from = packet.data + packet.room;
  }
  return free_from <= slab.bytes + slab.size;
}

// One read as Udp::read does it. False when a packet is where it must not be.
inline bool read_once(tunnel::transport::ReceiveBatch& batch, const tunnel_slab& slab,
                      std::span<tunnel_packet> packets, std::vector<Datagram>& datagrams) {
  tunnel::transport::ReadSpace space(slab);
  std::size_t count = batch.deliver(space, packets);
  if (count == 0) {
    const std::int32_t got = batch.receive(-1, 0, space, packets);
    if (got < 0) return false;
    count = static_cast<std::size_t>(got);
  }
  for (const auto& packet : packets.first(count)) {
    datagrams.push_back({{reinterpret_cast<const char*>(packet.data), packet.length},
                         packet.remote.port,
                         (packet.flags & TUNNEL_PACKET_TRUNCATED) != 0});
  }
  if (count == 0 && (batch.waits() || !waiting_messages.empty())) return false;
  return lie_apart(slab, packets.first(count));
}

}  // namespace test
