// send_linux.h — sendmmsg(2) of a batch in trains, with an answer for every datagram.
#pragma once

#include <array>

#include "transport/address_linux.h"
#include "transport/train.h"

namespace tunnel::transport {

// The system calls of a batch, so that a test can be the kernel.
struct SendCalls {
  int (*send_many)(int fd, mmsghdr* messages, unsigned count);
  ssize_t (*send_one)(int fd, const msghdr* message);
};
extern const SendCalls kKernelSends;

// Datagrams of one family that leave by one socket. Packets are borrowed from add() to flush().
class SendBatch {
 public:
  explicit SendBatch(TrainLimits& limits, const SendCalls& calls = kKernelSends) noexcept;
  SendBatch(const SendBatch&) = delete;  // the headers point into the object
  SendBatch& operator=(const SendBatch&) = delete;

  [[nodiscard]] bool full() const noexcept { return plan_.full(); }

  // Not when full.
  void add(tunnel_packet& packet) noexcept { plan_.add(packet, limits_); }

  // Sends everything added and gives each a verdict. Returns TUNNEL_OK, TUNNEL_VERDICT_WAIT when
  // the socket takes no more (the last ones then have that verdict), or TUNNEL_ERR_CLOSED.
  std::int32_t flush(int fd) noexcept;

 private:
  void lay(Train train) noexcept;
  void lay_bytes(Train train, msghdr& header) noexcept;
  std::int32_t send_all(int fd) noexcept;
  std::int32_t send_singly(int fd, std::size_t message, int error) noexcept;
  std::int32_t send_one(int fd, msghdr& header, tunnel_packet& packet, int error) noexcept;
  [[nodiscard]] Train packets_of(std::size_t from, std::size_t to) const noexcept;
  static void settle(Train packets, std::int32_t verdict) noexcept;

  TrainLimits& limits_;
  const SendCalls& calls_;
  TrainPlan plan_;

  // What flush() hands to the kernel.
  std::size_t count_ = 0;  // messages
  std::size_t packets_count_ = 0;
  std::size_t bytes_count_ = 0;
  std::array<std::uint8_t, TrainPlan::kPackets> first_;  // packet of each message
  std::array<tunnel_packet*, TrainPlan::kPackets> packets_;
  std::array<iovec, TrainPlan::kPackets> bytes_;
  std::array<mmsghdr, TrainPlan::kPackets> messages_{};
  std::array<SocketAddress, TrainPlan::kPackets> names_;
  std::array<ControlBuffer, TrainPlan::kPackets> controls_;
};

}  // namespace tunnel::transport
