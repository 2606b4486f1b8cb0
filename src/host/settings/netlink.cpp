#include "host/settings/netlink.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <tunnel/host/settings.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "host/system/system.h"

namespace tunnel::host {
namespace {

constexpr timeval kPatience = {10, 0};  // the kernel answers at once; this is against hanging

// A request under construction. All of ours are far smaller than the buffer.
class Message {
 public:
  Message(std::uint16_t type, unsigned flags) : header_(mnl_nlmsg_put_header(bytes_.data())) {
    header_->nlmsg_type = type;
    header_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  }

  Message(const Message&) = delete;  // header_ points into bytes_
  Message& operator=(const Message&) = delete;

  nlmsghdr* header() noexcept { return header_; }
  template <class T>
  T& extra() {
    return *static_cast<T*>(mnl_nlmsg_put_extra_header(header_, sizeof(T)));
  }
  void number(std::uint16_t type, std::uint32_t value) { mnl_attr_put_u32(header_, type, value); }
  void address(std::uint16_t type, const tunnel_prefix& prefix) {
    mnl_attr_put(header_, type, prefix.family == TUNNEL_FAMILY_IPV4 ? 4 : 16, prefix.bytes);
  }

 private:
  alignas(nlmsghdr) std::array<char, 512> bytes_{};
  nlmsghdr* header_;
};

std::uint8_t family_of(const tunnel_prefix& prefix) noexcept {
  return prefix.family == TUNNEL_FAMILY_IPV4 ? AF_INET : AF_INET6;
}

ifinfomsg& link_header(Message& message, std::uint32_t index) {
  auto& link = message.extra<ifinfomsg>();
  link.ifi_family = AF_UNSPEC;
  link.ifi_index = static_cast<int>(index);
  return link;
}

void put_address(Message& message, std::uint32_t index, const tunnel_prefix& address) {
  auto& header = message.extra<ifaddrmsg>();
  header.ifa_family = family_of(address);
  header.ifa_prefixlen = address.length;
  header.ifa_index = index;
  message.address(IFA_LOCAL, address);
  message.address(IFA_ADDRESS, address);
}

void put_route(Message& message, std::uint32_t index, const tunnel_prefix& prefix) {
  auto& header = message.extra<rtmsg>();
  header.rtm_family = family_of(prefix);
  header.rtm_dst_len = prefix.length;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = TUNNEL_SETTINGS_PROTOCOL;
  header.rtm_scope = prefix.family == TUNNEL_FAMILY_IPV4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  header.rtm_type = RTN_UNICAST;
  message.address(RTA_DST, prefix);
  message.number(RTA_OIF, index);
}

int find_words(const nlattr* attribute, void* words) {
  if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_MSG &&
      mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0) {
    *static_cast<std::string*>(words) = mnl_attr_get_str(attribute);
  }
  return MNL_CB_OK;
}

Answer read_answer(const nlmsghdr* message) {
  const auto* error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(message));
  Answer answer{-error->error, {}};
  if (answer.error == 0 || (message->nlmsg_flags & NLM_F_ACK_TLVS) == 0) return answer;
  // The attributes stand behind the copy of our request, unless the kernel left its body out.
  std::size_t offset = sizeof(nlmsgerr);
  if ((message->nlmsg_flags & NLM_F_CAPPED) == 0) offset += mnl_nlmsg_get_payload_len(&error->msg);
  if (offset < mnl_nlmsg_get_payload_len(message)) {
    mnl_attr_parse(message, static_cast<unsigned>(offset), find_words, &answer.words);
  }
  return answer;
}

int find_mtu(const nlattr* attribute, void* mtu) {
  if (mnl_attr_get_type(attribute) == IFLA_MTU && mnl_attr_validate(attribute, MNL_TYPE_U32) == 0) {
    *static_cast<std::uint32_t*>(mtu) = mnl_attr_get_u32(attribute);
  }
  return MNL_CB_OK;
}

void read_link(const nlmsghdr* message, LinkState& link) {
  const auto* header = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
  link.up = (header->ifi_flags & IFF_UP) != 0;
  mnl_attr_parse(message, sizeof(ifinfomsg), find_mtu, &link.mtu);
}

}  // namespace

void Netlink::Close::operator()(mnl_socket* socket) const noexcept {
  mnl_socket_close(socket);
}

base::Result<Netlink> Netlink::open() {
  mnl_socket* socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
  if (socket == nullptr) return base::Error{status_of(errno)};
  Netlink netlink(socket);
  if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) return base::Error{status_of(errno)};
  const int fd = mnl_socket_get_fd(socket);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  int on = 1;
  mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof(on));  // old kernels: no words
  return netlink;
}

Answer Netlink::ask(nlmsghdr* request, LinkState* link) {
  request->nlmsg_seq = ++sequence_;
  if (mnl_socket_sendto(socket_.get(), request, request->nlmsg_len) < 0) return {errno, {}};
  return hear(link);
}

// Reads until the acknowledgement of the last request; what belongs to no request is skipped.
Answer Netlink::hear(LinkState* link) {
  alignas(nlmsghdr) std::array<char, 16384> bytes;
  for (;;) {
    const ssize_t size = mnl_socket_recvfrom(socket_.get(), bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return {errno, {}};
    int left = static_cast<int>(size);
    const auto* message = reinterpret_cast<const nlmsghdr*>(bytes.data());
    for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
      if (message->nlmsg_seq != sequence_) continue;
      if (message->nlmsg_type == NLMSG_ERROR) return read_answer(message);
      if (message->nlmsg_type == RTM_NEWLINK && link != nullptr) read_link(message, *link);
    }
  }
}

std::optional<LinkState> Netlink::link(std::uint32_t index) {
  Message message(RTM_GETLINK, 0);
  link_header(message, index);
  LinkState state;
  if (ask(message.header(), &state).error != 0) return std::nullopt;
  return state;
}

Answer Netlink::set_mtu(std::uint32_t index, std::uint32_t mtu) {
  Message message(RTM_NEWLINK, 0);
  link_header(message, index);
  message.number(IFLA_MTU, mtu);
  return ask(message.header());
}

Answer Netlink::set_up(std::uint32_t index, bool up) {
  Message message(RTM_NEWLINK, 0);
  ifinfomsg& link = link_header(message, index);
  link.ifi_change = IFF_UP;
  link.ifi_flags = up ? IFF_UP : 0;
  return ask(message.header());
}

Answer Netlink::add_address(std::uint32_t index, const tunnel_prefix& address) {
  Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
  put_address(message, index, address);
  return ask(message.header());
}

Answer Netlink::remove_address(std::uint32_t index, const tunnel_prefix& address) {
  Message message(RTM_DELADDR, 0);
  put_address(message, index, address);
  return ask(message.header());
}

Answer Netlink::add_route(std::uint32_t index, const tunnel_prefix& prefix) {
  Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  put_route(message, index, prefix);
  return ask(message.header());
}

Answer Netlink::remove_route(std::uint32_t index, const tunnel_prefix& prefix) {
  Message message(RTM_DELROUTE, 0);
  put_route(message, index, prefix);
  return ask(message.header());
}

}  // namespace tunnel::host
