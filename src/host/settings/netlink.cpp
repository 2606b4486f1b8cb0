#include "host/settings/netlink.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>

namespace tunnel::host {
namespace {

constexpr timeval kPatience = {10, 0};  // the kernel answers at once; this is against hanging

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

// A list that the kernel could not give to its end carries its error there.
Answer read_end(const nlmsghdr* message) {
  if (mnl_nlmsg_get_payload_len(message) < sizeof(int)) return {};
  return {-*static_cast<const int*>(mnl_nlmsg_get_payload(message)), {}};
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
  mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof(on));         // old kernels: no words
  mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &on, sizeof(on));  // old ones: no filter
  return netlink;
}

Answer Netlink::ask(nlmsghdr* request, const Each& each) {
  request->nlmsg_seq = ++sequence_;
  if (mnl_socket_sendto(socket_.get(), request, request->nlmsg_len) < 0) return {errno, {}};
  return hear(each);
}

// Reads until the end of the answer to the last request; what belongs to no request is skipped.
Answer Netlink::hear(const Each& each) {
  alignas(nlmsghdr) std::array<char, 32768> bytes;
  for (;;) {
    const ssize_t size = mnl_socket_recvfrom(socket_.get(), bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return {errno, {}};
    int left = static_cast<int>(size);
    const auto* message = reinterpret_cast<const nlmsghdr*>(bytes.data());
    for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
      if (message->nlmsg_seq != sequence_) continue;
      if (message->nlmsg_type == NLMSG_ERROR) return read_answer(message);
      if (message->nlmsg_type == NLMSG_DONE) return read_end(message);
      if (each) each(message);
    }
  }
}

}  // namespace tunnel::host
