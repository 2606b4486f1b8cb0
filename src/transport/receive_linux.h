// receive_linux.h — recvmmsg(2) into a slab: single datagrams and trains.
//
// With UDP_GRO any message may be a train, of up to 64 KiB, and nobody knows before. So there are
// two kinds of call:
//
//   whole   one message, straight to the next place of the slab. The datagrams of a train are
//           described where they stand. The call of trains, for which a system call is cheap.
//   slots   many messages, each into a slot of the slab, and from there on into an overflow of our
//           own. The call of single datagrams, and of slabs too small for a train.
//
// After a train a train is expected, and after singles as many singles as came in a row: the window
// of the next call. A guess that was wrong costs one copy. What has no place in the slab or among
// the packets waits in the overflow, in order; nothing is lost.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "transport/address_linux.h"
#include "transport/read_space.h"

namespace tunnel::transport {

class ReceiveBatch {
 public:
  static constexpr std::size_t kWindow = 32;
  // recvmmsg(2) without waiting, so that a test can be the kernel.
  using Call = int (*)(int fd, mmsghdr* messages, unsigned count);
  static int ask_kernel(int fd, mmsghdr* messages, unsigned count) noexcept;

  explicit ReceiveBatch(Call call = ask_kernel) noexcept;
  ReceiveBatch(const ReceiveBatch&) = delete;  // the headers point into the object
  ReceiveBatch& operator=(const ReceiveBatch&) = delete;

  // Whether a message can be a train. Without them there is no overflow.
  void expect_trains(bool trains) noexcept;

  // Reads what is there, as far as space and packets reach; not while something waits(). Each
  // packet gets `note` as the port of its local address. Returns the count, 0 when none waits, or
  // TUNNEL_ERR_CLOSED.
  std::int32_t receive(int fd, std::uint16_t note, ReadSpace& space,
                       std::span<tunnel_packet> packets) noexcept;

  // Datagrams that were read and for which there was no packet.
  [[nodiscard]] bool waits() const noexcept { return waiting_ != arrived_; }
  // Hands them out as far as space and packets reach. Returns the count.
  std::size_t deliver(ReadSpace& space, std::span<tunnel_packet> packets) noexcept;

 private:
  struct Arrival {  // a message
    tunnel_address remote, local;
    std::size_t length, segment;
    bool cut;  // its end is missing
  };

  std::size_t ask(const ReadSpace& space, std::size_t packets, bool first) const noexcept;
  [[nodiscard]] bool whole(const ReadSpace& space) const noexcept;
  void prepare(std::size_t i, const ReadSpace& space) noexcept;
  void note_arrival(std::size_t i, std::uint16_t note) noexcept;
  std::size_t take_whole(ReadSpace& space, std::span<tunnel_packet> packets) noexcept;
  std::size_t take_slots(ReadSpace& space, std::span<tunnel_packet> packets) noexcept;
  void keep(std::size_t i, std::span<const std::uint8_t> start) noexcept;
  bool reserve_overflow() noexcept;
  [[nodiscard]] std::uint8_t* overflow(std::size_t i) const noexcept {
    return overflow_.get() + i * (kWholeMessage + 1);
  }

  Call call_;
  bool trains_ = false;
  std::size_t window_ = kWindow;
  std::size_t expected_ = 1;  // datagrams in a message, by the last one

  std::array<mmsghdr, kWindow> messages_{};
  std::array<std::array<iovec, 2>, kWindow> spaces_;
  std::array<SocketAddress, kWindow> names_;
  std::array<ControlBuffer, kWindow> controls_;
  std::array<Arrival, kWindow> arrivals_;
  std::size_t waiting_ = 0;  // the first arrival that was not handed out
  std::size_t arrived_ = 0;
  std::size_t offset_ = 0;  // of what was handed out of it

  // One whole message for each place of the window. Taken when first needed; memory of the system
  // only where something was written.
  std::unique_ptr<std::uint8_t[]> overflow_;
};

}  // namespace tunnel::transport
