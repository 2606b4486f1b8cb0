#include "device/tun_linux.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "device/device.h"

namespace tunnel::device {

using base::Descriptor;
using base::Error;
using base::Result;

namespace {

static_assert(sizeof(InterfaceName) == IFNAMSIZ);

// What the kernel accepts (dev_valid_name), with "%d" at most once.
bool valid_name(std::string_view name) noexcept {
  if (name.empty() || name.size() >= IFNAMSIZ || name == "." || name == "..") return false;
  if (name.find_first_of("/: \t\n\v\f\r") != name.npos) return false;
  const auto percent = name.find('%');
  if (percent == name.npos) return true;
  return name.substr(percent, 2) == "%d" && name.find('%', percent + 1) == name.npos;
}

ifreq request_for(std::string_view name) noexcept {
  ifreq request{};
  std::copy(name.begin(), name.end(), request.ifr_name);
  return request;
}

std::int32_t attach_error(int error) noexcept {
  // The name was checked before, so EINVAL means that it belongs to an interface of another kind.
  return error == EINVAL ? TUNNEL_ERR_IN_USE : base::status_of(error);
}

// Any socket of the namespace takes interface requests; IPv4 may be missing.
Descriptor control_socket() noexcept {
  Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket.valid()) return socket;
  return Descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

}  // namespace

Result<Tun> Tun::open(const char* name) noexcept {
  const std::string_view wanted = name != nullptr ? name : "tun%d";
  if (!valid_name(wanted)) return Error{TUNNEL_ERR_ARGUMENT};
  Descriptor fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) return Error{base::status_of(errno)};
  ifreq request = request_for(wanted);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (::ioctl(fd.get(), TUNSETIFF, &request) != 0) return Error{attach_error(errno)};
  return Tun(std::move(fd));
}

Result<Tun> Tun::adopt(Descriptor fd) noexcept {
  ifreq request{};
  if (::ioctl(fd.get(), TUNGETIFF, &request) != 0) return Error{TUNNEL_ERR_ARGUMENT};
  // IFF_NO_PI cannot be asked for: in this answer its bit means IFF_NOFILTER.
  constexpr int kShape = IFF_TUN | IFF_TAP | IFF_VNET_HDR;
  if ((request.ifr_flags & kShape) != IFF_TUN) return Error{TUNNEL_ERR_ARGUMENT};
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return Error{base::status_of(errno)};
  }
  return Tun(std::move(fd));
}

std::int32_t Tun::read(const tunnel_slab& slab, std::span<tunnel_packet> packets) noexcept {
  base::SlabCursor cursor(slab);
  if (cursor.space() == 0) return TUNNEL_ERR_ARGUMENT;
  // One byte more than the longest packet, so that one that just fits is told from a cut one.
  const std::size_t needed = std::size_t{std::max(mtu_, slab.mtu)} + 1;
  std::int32_t count = 0;
  for (auto& packet : packets) {
    if (count > 0 && cursor.space() < needed) break;
    const std::int32_t got = read_one(cursor, packet);
    if (got < 0 && count == 0) return got;
    if (got <= 0) break;  // an error comes again with the next read
    ++count;
  }
  return count;
}

// 1, 0 when nothing waits, or an error.
std::int32_t Tun::read_one(base::SlabCursor& cursor, tunnel_packet& packet) noexcept {
  const std::size_t space = std::min<std::size_t>(cursor.space(), UINT16_MAX + 1);
  ssize_t length = 0;
  do {
    length = ::read(fd_.get(), cursor.place(), space);
  } while (length < 0 && errno == EINTR);
  if (length < 0) return gone(errno) ? TUNNEL_ERR_CLOSED : 0;
  cursor.take(packet, static_cast<std::uint32_t>(length));
  if (static_cast<std::size_t>(length) == space) {
    packet.flags |= TUNNEL_PACKET_TRUNCATED;
    mtu();  // somebody raised it: the next read leaves enough space
  }
  return 1;
}

std::int32_t Tun::write(std::span<tunnel_packet> packets) noexcept {
  blocked_ = false;
  bool closed = false;
  for (auto& packet : packets) {
    if (packet.verdict != TUNNEL_VERDICT_DELIVER) continue;
    if (closed) {
      packet.verdict = TUNNEL_DROP_IO;
    } else if (blocked_) {
      packet.verdict = TUNNEL_VERDICT_WAIT;  // keeps the order: nothing overtakes the first
    } else {
      const std::int32_t verdict = write_one(packet);
      closed = verdict == TUNNEL_ERR_CLOSED;
      blocked_ = verdict == TUNNEL_VERDICT_WAIT;
      packet.verdict = closed ? TUNNEL_DROP_IO : verdict;
    }
  }
  return closed ? TUNNEL_ERR_CLOSED : TUNNEL_OK;
}

// The verdict, or TUNNEL_ERR_CLOSED.
std::int32_t Tun::write_one(const tunnel_packet& packet) noexcept {
  ssize_t length = 0;
  do {
    length = ::write(fd_.get(), packet.data, packet.length);
  } while (length < 0 && errno == EINTR);
  if (length >= 0) return TUNNEL_VERDICT_SENT;
  if (errno == EAGAIN) return TUNNEL_VERDICT_WAIT;
  if (errno == EMSGSIZE) return TUNNEL_DROP_TOO_BIG;
  // EINVAL: not an IP packet. ENOBUFS, ENOMEM: no memory for it. EIO: the interface is down.
  return gone(errno) ? TUNNEL_ERR_CLOSED : TUNNEL_DROP_IO;
}

// Whether an error means that the interface was deleted. EIO alone does not: a TUN that is down
// answers a write with it, and comes back.
bool Tun::gone(int error) const noexcept {
  if (error == EBADFD || error == EBADF || error == ENODEV) return true;
  return error == EIO && !name();
}

// A deleted TUN polls as an error, which wakes every waiter; the read that follows says CLOSED.
std::int32_t Tun::wait(std::span<tunnel_handle> handles) noexcept {
  if (handles.empty()) return 0;
  const std::uint32_t writable = blocked_ ? TUNNEL_WRITABLE : 0;
  handles[0] = {fd_.get(), TUNNEL_READABLE | writable, 0};
  return 1;
}

std::int32_t Tun::mtu() noexcept {
  const auto current = name();
  if (!current) return current.status();
  ifreq request = request_for(current->data());
  const Descriptor socket = control_socket();
  if (!socket.valid() || ::ioctl(socket.get(), SIOCGIFMTU, &request) != 0) {
    return base::status_of(errno);
  }
  mtu_ = static_cast<std::uint32_t>(request.ifr_mtu);
  return request.ifr_mtu;
}

std::int32_t Tun::set_mtu(std::uint32_t mtu) noexcept {
  const auto current = name();
  if (!current) return current.status();
  if (mtu > UINT16_MAX) return TUNNEL_ERR_ARGUMENT;
  ifreq request = request_for(current->data());
  request.ifr_mtu = static_cast<int>(mtu);
  const Descriptor socket = control_socket();
  if (socket.valid() && ::ioctl(socket.get(), SIOCSIFMTU, &request) == 0) return TUNNEL_OK;
  return errno == EINVAL ? TUNNEL_ERR_ARGUMENT : base::status_of(errno);
}

// Asked anew each time, because an interface can be renamed. CLOSED when it was deleted.
Result<InterfaceName> Tun::name() const noexcept {
  ifreq request{};
  if (::ioctl(fd_.get(), TUNGETIFF, &request) != 0) return Error{TUNNEL_ERR_CLOSED};
  InterfaceName name{};
  std::memcpy(name.data(), request.ifr_name, name.size() - 1);
  return name;
}

Result<tunnel_device> open_tun(const tunnel_tun_config& config) {
  Descriptor given(config.take_handle == 1 ? static_cast<int>(config.handle) : -1);
  if (config.flags != 0 || config.take_handle > 1) return Error{TUNNEL_ERR_ARGUMENT};
  auto tun = config.take_handle == 1 ? Tun::adopt(std::move(given)) : Tun::open(config.name);
  if (!tun) return Error{tun.status()};
  if (config.mtu != 0) {
    if (const auto status = tun->set_mtu(config.mtu); status != TUNNEL_OK) return Error{status};
  }
  if (const auto mtu = tun->mtu(); mtu < 0) return Error{mtu};
  return base::make_device(std::make_unique<Tun>(std::move(*tun)));
}

std::int32_t tun_name(const tunnel_device& device, std::span<char, 16> name) noexcept {
  const Tun* tun = base::device_as<Tun>(device);
  if (tun == nullptr) return TUNNEL_ERR_ARGUMENT;
  const auto current = tun->name();
  if (!current) return current.status();
  std::copy(current->begin(), current->end(), name.begin());
  return TUNNEL_OK;
}

}  // namespace tunnel::device
