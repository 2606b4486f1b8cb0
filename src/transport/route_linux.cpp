#include "transport/route_linux.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "transport/netlink_linux.h"

namespace tunnel::transport {

using base::Bytes;
using base::Descriptor;

namespace {

// A request under construction. All attributes we use have 4 or 16 bytes, so nothing needs padding.
class Request {
 public:
  explicit Request(const tunnel_address& remote) noexcept
      : address_size_(remote.family == TUNNEL_FAMILY_IPV4 ? 4 : 16) {
    rtmsg route{};
    route.rtm_family = remote.family == TUNNEL_FAMILY_IPV4 ? AF_INET : AF_INET6;
    route.rtm_dst_len = static_cast<unsigned char>(8 * address_size_);
    route.rtm_src_len = route.rtm_dst_len;
    append(&route, sizeof route);
  }

  void add(unsigned short type, const void* value, std::size_t size) noexcept {
    const rtattr header{static_cast<unsigned short>(sizeof header + size), type};
    append(&header, sizeof header);
    append(value, size);
  }

  void add(unsigned short type, const tunnel_address& address) noexcept {
    add(type, address.bytes, address_size_);
  }

  Bytes finished() noexcept {
    nlmsghdr header{};
    header.nlmsg_len = static_cast<std::uint32_t>(size_);
    header.nlmsg_type = RTM_GETROUTE;
    header.nlmsg_flags = NLM_F_REQUEST;
    std::memcpy(bytes_.data(), &header, sizeof header);
    return Bytes(bytes_).first(size_);
  }

 private:
  void append(const void* from, std::size_t size) noexcept {
    std::memcpy(bytes_.data() + size_, from, size);
    size_ += size;
  }

  std::size_t address_size_;
  std::size_t size_ = sizeof(nlmsghdr);
  std::array<std::uint8_t, 128> bytes_{};
};

// The interface named in the answer; 0 when it is an error.
std::uint32_t interface_in(Bytes answer) noexcept {
  nlmsghdr header;
  rtmsg route;
  rtattr attribute;
  if (!take(answer, header) || header.nlmsg_type != RTM_NEWROUTE) return 0;
  Bytes message = take_payload<nlmsghdr>(answer, header.nlmsg_len);
  if (!take(message, route) || route.rtm_type != RTN_UNICAST) return 0;
  while (take(message, attribute)) {
    Bytes value = take_payload<rtattr>(message, attribute.rta_len);
    std::uint32_t index = 0;
    if (attribute.rta_type == RTA_OIF && take(value, index)) return index;
  }
  return 0;
}

}  // namespace

// The kernel answers within send(2), so there is nothing to wait for. A socket per question: it is
// asked only about sources that are older than the last change of the network.
std::optional<std::uint32_t> route_interface(const tunnel_address& local,
                                             const tunnel_address& remote,
                                             std::uint32_t mark) noexcept {
  const Descriptor fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd.valid()) return std::nullopt;
  Request request(remote);
  request.add(RTA_DST, remote);
  request.add(RTA_SRC, local);
  if (mark != 0) request.add(RTA_MARK, &mark, sizeof mark);
  const Bytes question = request.finished();
  if (::send(fd.get(), question.data(), question.size(), 0) < 0) return std::nullopt;
  std::array<std::uint8_t, 4096> answer;
  const ssize_t got = ::recv(fd.get(), answer.data(), answer.size(), MSG_DONTWAIT);
  if (got < 0) return std::nullopt;
  return interface_in({answer.data(), static_cast<std::size_t>(got)});
}

}  // namespace tunnel::transport
