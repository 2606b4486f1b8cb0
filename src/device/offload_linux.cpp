#include "device/offload_linux.h"

#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include <bit>
#include <cerrno>

#include "device/virtio.h"

namespace tunnel::device {

namespace {

constexpr unsigned kTcpOffloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
// TUN_F_USO4 and TUN_F_USO6 of newer headers. The kernel takes them only together.
constexpr unsigned kUdpOffloads = 0x20 | 0x40;

bool set(int tun, unsigned offloads) noexcept {
  return ::ioctl(tun, TUNSETOFFLOAD, static_cast<unsigned long>(offloads)) == 0;
}

}  // namespace

Offloads enable_offloads(int tun) noexcept {
  if (set(tun, kTcpOffloads | kUdpOffloads)) return {true, true};
  if (set(tun, kTcpOffloads)) return {true, false};
  disable_offloads(tun);
  return {};
}

void disable_offloads(int tun) noexcept {
  set(tun, 0);
}

base::Result<std::size_t> choose_header(int tun) noexcept {
  const int size = VirtioHeader::kShort;
  if (::ioctl(tun, TUNSETVNETHDRSZ, &size) != 0) return base::Error{base::status_of(errno)};
  return VirtioHeader::kShort;
}

base::Result<std::size_t> read_header_size(int tun) noexcept {
  int size = 0;
  if (::ioctl(tun, TUNGETVNETHDRSZ, &size) != 0) return base::Error{TUNNEL_ERR_ARGUMENT};
  if (size != VirtioHeader::kShort && size != VirtioHeader::kLong) {
    return base::Error{TUNNEL_ERR_ARGUMENT};
  }
  // Numbers are in our order, unless the other one was asked for; few kernels know the question.
  const bool little = std::endian::native == std::endian::little;
  int foreign = 0;
  const unsigned long question = little ? TUNGETVNETBE : TUNGETVNETLE;
  if (::ioctl(tun, question, &foreign) == 0 && foreign != 0) {
    return base::Error{TUNNEL_ERR_ARGUMENT};
  }
  return static_cast<std::size_t>(size);
}

}  // namespace tunnel::device
