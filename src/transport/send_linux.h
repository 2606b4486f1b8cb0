// send_linux.h — sendmmsg(2) of a batch, with an answer for every datagram.
#pragma once

#include <array>

#include "transport/address_linux.h"

namespace tunnel::transport {

// Datagrams of one family that leave by one socket. Packets are borrowed from add() to flush().
class SendBatch {
 public:
  static constexpr std::size_t kSize = 64;

  SendBatch() noexcept;
  SendBatch(const SendBatch&) = delete;  // the headers point into the object
  SendBatch& operator=(const SendBatch&) = delete;

  [[nodiscard]] bool full() const noexcept { return count_ == kSize; }

  // Not when full.
  void add(tunnel_packet& packet) noexcept;

  // Sends everything added and gives each a verdict. Returns TUNNEL_OK, TUNNEL_VERDICT_WAIT when
  // the socket takes no more (the last ones then have that verdict), or TUNNEL_ERR_CLOSED.
  std::int32_t flush(int fd) noexcept;

 private:
  std::int32_t send_all(int fd) noexcept;
  std::int32_t resend_or_verdict(std::size_t i, int error, int attempt) noexcept;
  void forget_source(std::size_t i) noexcept;
  void settle(std::size_t from, std::size_t to, std::int32_t verdict) noexcept;

  std::size_t count_ = 0;
  std::array<tunnel_packet*, kSize> packets_{};
  std::array<mmsghdr, kSize> messages_{};
  std::array<iovec, kSize> bytes_{};
  std::array<SocketAddress, kSize> names_{};
  std::array<ControlBuffer, kSize> controls_{};
};

}  // namespace tunnel::transport
