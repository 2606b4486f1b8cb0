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
#include "device/offload_linux.h"

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

Result<Tun> Tun::open(const char* name) {
  const std::string_view wanted = name != nullptr ? name : "tun%d";
  if (!valid_name(wanted)) return Error{TUNNEL_ERR_ARGUMENT};
  Descriptor fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) return Error{base::status_of(errno)};
  ifreq request = request_for(wanted);
  request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
  if (::ioctl(fd.get(), TUNSETIFF, &request) != 0) return Error{attach_error(errno)};
  const auto header = choose_header(fd.get());
  if (!header) return Error{header.status()};
  return create(std::move(fd), *header);
}

Result<Tun> Tun::adopt(Descriptor fd) {
  ifreq request{};
  if (::ioctl(fd.get(), TUNGETIFF, &request) != 0) return Error{TUNNEL_ERR_ARGUMENT};
  // IFF_NO_PI cannot be asked for: in this answer its bit means IFF_NOFILTER.
  if ((request.ifr_flags & (IFF_TUN | IFF_TAP)) != IFF_TUN) return Error{TUNNEL_ERR_ARGUMENT};
  std::size_t header_size = 0;
  if ((request.ifr_flags & IFF_VNET_HDR) != 0) {
    const auto known = read_header_size(fd.get());
    if (!known) return Error{known.status()};
    header_size = *known;
  }
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return Error{base::status_of(errno)};
  }
  return create(std::move(fd), header_size);
}

Result<Tun> Tun::create(Descriptor fd, std::size_t header_size) {
  auto ready = base::WaitFlag::create(base::WaitFlag::Kind::readable);
  if (!ready) return Error{ready.status()};
  ready->set(true);
  disable_offloads(fd.get());  // an interface that outlives its users keeps what they switched on
  return Tun(std::move(fd), header_size, std::move(*ready));
}

Tun::Tun(Descriptor fd, std::size_t header_size, base::WaitFlag ready)
    : fd_(std::move(fd)),
      ready_(std::move(ready)),
      header_size_(header_size),
      scratch_(std::make_unique_for_overwrite<std::uint8_t[]>(kReadMost)) {}

// Whether an error means that the interface was deleted. EIO alone does not: a TUN that is down
// answers a write with it, and comes back.
bool Tun::gone(int error) const noexcept {
  if (error == EBADFD || error == EBADF || error == ENODEV) return true;
  return error == EIO && !name();
}

// A deleted TUN polls as an error, which wakes every waiter; the read that follows says CLOSED.
// Segments that wait here are not seen in the interface: then there is a second handle.
std::int32_t Tun::wait(std::span<tunnel_handle> handles) noexcept {
  const std::uint32_t writable = blocked_ ? TUNNEL_WRITABLE : 0;
  const std::array<tunnel_handle, 2> wanted{
      {{ready_.handle(), TUNNEL_READABLE, 0}, {fd_.get(), TUNNEL_READABLE | writable, 0}}};
  const auto now = std::span(wanted).subspan(splitter_.empty() ? 1 : 0);
  const std::size_t count = std::min(now.size(), handles.size());
  std::copy_n(now.begin(), count, handles.begin());
  return static_cast<std::int32_t>(count);
}

std::int32_t Tun::offload(std::uint32_t enable) noexcept {
  merges_ = {};
  if (!name()) return TUNNEL_ERR_CLOSED;
  if (enable == 0) disable_offloads(fd_.get());
  if (enable != 0 && header_size_ != 0) merges_ = enable_offloads(fd_.get());
  return enable != 0 && !merges_.tcp ? TUNNEL_ERR_UNSUPPORTED : TUNNEL_OK;
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
  if (mtu > UINT16_MAX) return TUNNEL_ERR_ARGUMENT;
  ifreq request{};
  request.ifr_mtu = static_cast<int>(mtu);
  return set(SIOCSIFMTU, request);
}

std::int32_t Tun::set_tx_queue(std::uint32_t packets) noexcept {
  if (packets > INT32_MAX) return TUNNEL_ERR_ARGUMENT;
  ifreq request{};
  request.ifr_qlen = static_cast<int>(packets);
  return set(SIOCSIFTXQLEN, request);
}

// `request` but for the name.
std::int32_t Tun::set(unsigned long what, ifreq& request) noexcept {
  const auto current = name();
  if (!current) return current.status();
  std::copy(current->begin(), current->end(), request.ifr_name);
  const Descriptor socket = control_socket();
  if (socket.valid() && ::ioctl(socket.get(), what, &request) == 0) return TUNNEL_OK;
  return errno == EINVAL || errno == ERANGE ? TUNNEL_ERR_ARGUMENT : base::status_of(errno);
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
  const bool known = (config.flags & ~TUNNEL_TUN_NO_OFFLOAD) == 0;
  if (!known || config.take_handle > 1 || config.reserved != 0) return Error{TUNNEL_ERR_ARGUMENT};
  auto tun = config.take_handle == 1 ? Tun::adopt(std::move(given)) : Tun::open(config.name);
  if (!tun) return Error{tun.status()};
  if (config.mtu != 0) {
    if (const auto status = tun->set_mtu(config.mtu); status != TUNNEL_OK) return Error{status};
  }
  if (config.tx_queue != 0) {
    const auto status = tun->set_tx_queue(config.tx_queue);
    if (status != TUNNEL_OK) return Error{status};
  }
  if (const auto mtu = tun->mtu(); mtu < 0) return Error{mtu};
  // A TUN without offloads is as good, only slower.
  if ((config.flags & TUNNEL_TUN_NO_OFFLOAD) == 0) [[maybe_unused]]
    const auto has = tun->offload(1);
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
