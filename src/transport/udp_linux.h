// udp_linux.h — UDP on IPv4 and IPv6: batches in, batches out, and the network's changes.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "transport/monitor_linux.h"
#include "transport/receive_linux.h"
#include "transport/send_linux.h"
#include "transport/sockets_linux.h"

namespace tunnel::transport {

class Udp {
 public:
  Udp(const SocketOptions& options, bool any_port, Sockets sockets,
      std::optional<NetworkMonitor> monitor) noexcept;

  std::int32_t read(const tunnel_slab& slab, std::span<tunnel_packet> packets) noexcept;
  std::int32_t write(std::span<tunnel_packet> packets) noexcept;
  std::int32_t wait(std::span<tunnel_handle> handles) noexcept;

  std::int32_t rebind() noexcept;
  std::int32_t mark(std::uint32_t mark) noexcept;
  std::int32_t port() noexcept { return sockets_.port; }
  std::uint32_t changed() noexcept;
  std::int32_t set_port(std::uint16_t port) noexcept;
  std::int32_t offload(std::uint32_t enable) noexcept;

 private:
  std::int32_t read_sockets(ReadSpace& space, std::span<tunnel_packet> packets) noexcept;
  void stop_trains() noexcept;
  std::int64_t always_readable() noexcept;
  std::int32_t flush(std::size_t family) noexcept;
  void watch_network(bool idle) noexcept;
  std::uint16_t note_of_reads() const noexcept;
  void check_source(tunnel_packet& packet) noexcept;

  SocketOptions options_;
  bool any_port_;  // the kernel chose the port, so another one does as well
  Sockets sockets_;
  std::optional<NetworkMonitor> monitor_;

  ReceiveBatch receive_;
  std::optional<base::WaitFlag> readable_;
  TrainLimits limits_;
  std::array<SendBatch, 2> send_{SendBatch(limits_), SendBatch(limits_)};
  std::array<bool, 2> blocked_{};  // the last write left datagrams of this family over
  std::array<bool, 2> waited_{};   // a write since the last wait() did
  std::size_t read_first_ = kIpv4;
  std::array<bool, 2> quiet_{};   // the last look at this family found nothing
  bool stopping_trains_ = false;  // switched off while they may still wait in the sockets
  std::uint32_t reads_ = 0;
  std::uint32_t changed_ = 0;

  // How often the network changed. The local address of a datagram carries it as its port, so that
  // a source learnt before the last change is known by sight.
  std::uint16_t generation_ = 0;
  std::uint32_t under_way_ = 0;  // datagrams still to be read that may be older than that
  struct {
    tunnel_address local, remote;
    std::uint16_t generation = 0;
  } checked_{};  // the source last found good although it is older
};

}  // namespace tunnel::transport
