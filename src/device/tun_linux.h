// tun_linux.h — a Linux TUN interface.
//
// With offloads one read(2) gives up to 64 KiB of a flow, which are cut into packets here, and
// packets that continue each other are written as one. The interface has a header before each
// packet (virtio.h) wherever the kernel knows it, so that offloads can be switched while it is
// open.
#pragma once

#include <net/if.h>
#include <sys/uio.h>

#include <array>
#include <memory>
#include <span>

#include "base/base.h"
#include "device/coalesce.h"
#include "device/offloads.h"
#include "device/split.h"

namespace tunnel::device {

using InterfaceName = std::array<char, 16>;  // IFNAMSIZ, ends with 0

class Tun {
 public:
  static constexpr std::uint32_t kDeviceFlags = TUNNEL_DEVICE_LOCAL;

  // What the offloads did; packets that are read and written by themselves are not counted.
  struct Counts {
    std::uint64_t superpackets_read = 0;
    std::uint64_t segments_read = 0;
    std::uint64_t superpackets_written = 0;
    std::uint64_t segments_written = 0;
    std::uint64_t malformed = 0;  // read, and dropped: header and packet contradicted each other
    std::uint64_t refused = 0;    // superpackets that the kernel did not take
  };

  // Creates an interface, or attaches to an existing TUN that nobody uses. See tunnel_tun_open().
  // Offloads are off.
  static base::Result<Tun> open(const char* name);

  // Owns a descriptor that somebody else opened and configured with IFF_NO_PI. Offloads are off.
  // TUNNEL_ERR_ARGUMENT when it is no TUN, or one with headers that we do not read.
  static base::Result<Tun> adopt(base::Descriptor fd);

  std::int32_t read(const tunnel_slab& slab, std::span<tunnel_packet> packets) noexcept;
  std::int32_t write(std::span<tunnel_packet> packets) noexcept;
  std::int32_t wait(std::span<tunnel_handle> handles) noexcept;
  std::int32_t mtu() noexcept;
  // See tunnel_device_ops.offload. Also ends what a refused superpacket has switched off.
  std::int32_t offload(std::uint32_t enable) noexcept;

  std::int32_t set_mtu(std::uint32_t mtu) noexcept;
  std::int32_t set_tx_queue(std::uint32_t packets) noexcept;
  base::Result<InterfaceName> name() const noexcept;
  const Counts& counts() const noexcept { return counts_; }

 private:
  // One read of ours: where its packets go, and how many there are.
  struct Laying {
    base::SlabCursor cursor;
    std::span<tunnel_packet> packets;
    const tunnel_slab& slab;
    std::size_t count = 0;

    [[nodiscard]] std::size_t packets_left() const noexcept { return packets.size() - count; }
  };

  static constexpr std::size_t kReadMost = 65'535 + 40;  // the longest packet: of IPv6

  static base::Result<Tun> create(base::Descriptor fd, std::size_t header_size);
  Tun(base::Descriptor fd, std::size_t header_size, base::WaitFlag ready);

  bool worthwhile(const Laying& laying) const noexcept;
  std::int32_t read_next(Laying& laying) noexcept;
  bool lay_whole(Laying& laying, const VirtioHeader& header, std::size_t length) noexcept;
  bool split(Laying& laying, const VirtioHeader& header, std::size_t length) noexcept;
  void lay_segments(Laying& laying) noexcept;

  void write_batch(std::span<tunnel_packet> batch) noexcept;
  bool write_merged(const Coalescer::Run& run, std::span<tunnel_packet> batch) noexcept;
  std::int32_t set(unsigned long what, ifreq& request) noexcept;
  std::int32_t write_one(const tunnel_packet& packet) noexcept;
  int write_parts(std::span<const iovec> parts) const noexcept;
  std::int32_t verdict_of(int error) noexcept;
  bool gone(int error) const noexcept;

  base::Descriptor fd_;
  base::WaitFlag ready_;     // always up: what the owner waits for while segments wait here
  std::size_t header_size_;  // of the header before each packet; 0 = there is none
  std::uint32_t mtu_ = 0;    // of the interface, when it was last asked
  Offloads merges_;          // what is written as one superpacket
  bool blocked_ = false;     // the last write left packets over
  bool closed_ = false;      // the last write found the interface gone
  Counts counts_;

  std::unique_ptr<std::uint8_t[]> scratch_;  // the superpacket that was read last
  Splitter splitter_;                        // what is left of it
  std::size_t likely_packets_ = 1;           // what the next read gives, if it is like the last
  std::size_t likely_bytes_ = 0;

  Coalescer coalescer_;
};

}  // namespace tunnel::device
