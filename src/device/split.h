// split.h — cuts a superpacket of the local IP stack (TCP or UDP segmentation offload) into the
// packets it stands for.
//
// Pure: bytes in, bytes out. The superpacket stays where it is; each segment is laid where the
// caller has room, and what he has no room for waits in the splitter.
//
//   begin -> next, next, ... until empty
#pragma once

#include "base/base.h"
#include "device/virtio.h"

namespace tunnel::device {

// Completes the checksum that the kernel left to us in a packet that is not to be cut. False when
// the header points outside of the packet, which is then untouched.
[[nodiscard]] bool complete_checksum(const VirtioHeader& header,
                                     base::MutableBytes packet) noexcept;

class Splitter {
 public:
  // Takes what one read gave: the packet is borrowed until the splitter is empty. False when the
  // header and the packet contradict each other; then there is nothing to lay.
  [[nodiscard]] bool begin(const VirtioHeader& header, base::MutableBytes packet) noexcept;

  [[nodiscard]] bool empty() const noexcept { return segments_left_ == 0; }
  // Segments that are still to be laid.
  [[nodiscard]] std::size_t segments_left() const noexcept { return segments_left_; }
  // Length of the next segment. None is longer than the first.
  [[nodiscard]] std::size_t next_length() const noexcept;

  // Lays the next segment. A place that is too short gets its first bytes, as they are in the
  // superpacket: no packet, but all that fits.
  void next(base::MutableBytes place) noexcept;

 private:
  bool begin_segments(const VirtioHeader& header) noexcept;
  bool find_transport(const VirtioHeader& header, std::uint8_t protocol) noexcept;
  void complete(base::MutableBytes segment) noexcept;
  void complete_tcp(std::uint8_t* tcp) const noexcept;

  base::MutableBytes packet_;
  std::size_t transport_ = 0;     // where the TCP or UDP header begins
  std::size_t header_size_ = 0;   // bytes before the payload; 0 = one packet, laid as it is
  std::size_t segment_size_ = 0;  // payload of each segment but the last
  std::size_t segments_left_ = 0;
  std::size_t index_ = 0;     // of the next segment
  std::uint32_t pseudo_ = 0;  // sum of the pseudo header without its length
  std::uint8_t protocol_ = 0;
  bool summed_ = true;  // false: UDP without checksum stays without
};

}  // namespace tunnel::device
