// packets.h — a row of packets in one block of memory, which Python sees without copies.
//
// Every slot has room for one packet and what is added around it. The memory lives as long as the
// buffer and every memoryview on it; it never moves. While a call works on the buffer without the
// GIL, it is lent: then its packets cannot be described anew (their bytes can be scribbled on,
// which spoils them and nothing else).
#pragma once

#include <memory>
#include <vector>

#include "binding.h"

namespace tunnel::python {

class PacketBuffer {
 public:
  PacketBuffer(std::size_t slots, std::uint32_t mtu);

  std::size_t size() const noexcept { return packets_.size(); }
  std::size_t stride() const noexcept { return stride_; }
  std::uint8_t* memory() noexcept { return memory_.get(); }
  std::size_t memory_bytes() const noexcept { return size() * stride_; }

  // The packet of a slot; raises while the buffer is lent, or when there is no such slot.
  tunnel_packet& packet(py::ssize_t index);
  // Makes the packet empty, with all the room of its slot behind the headroom.
  tunnel_packet& clear(py::ssize_t index);

 private:
  friend class Loan;
  void describe(std::size_t slot) noexcept;

  std::size_t stride_;
  std::unique_ptr<std::uint8_t[]> memory_;
  std::vector<tunnel_packet> packets_;
  bool lent_ = false;
};

// Lends the first packets of a buffer to one call. Made and destroyed with the GIL held.
class Loan {
 public:
  // `count` None: all of them.
  Loan(PacketBuffer& buffer, const py::object& count);
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  ~Loan() { buffer_.lent_ = false; }

  std::span<tunnel_packet> packets() const noexcept { return packets_; }
  void clear() noexcept;

 private:
  PacketBuffer& buffer_;
  std::span<tunnel_packet> packets_;
};

}  // namespace tunnel::python
