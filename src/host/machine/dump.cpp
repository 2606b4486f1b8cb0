#include "host/machine/dump.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "host/system/system.h"

namespace tunnel::host {
namespace {

constexpr timeval kPatience = {10, 0};  // the kernel answers at once; this is against hanging
// A list that is torn again and again is what it was, in parts: good enough to plan by.
constexpr int kAttempts = 16;

struct Close {
  void operator()(mnl_socket* socket) const noexcept { mnl_socket_close(socket); }
};
using Socket = std::unique_ptr<mnl_socket, Close>;
using Take = std::function<void(const nlmsghdr*)>;

// Messages one after another.
struct List {
  std::vector<char> bytes;
  bool torn = false;  // something changed while it was given: what is in it may lack something
};

std::int32_t send(const Socket& socket, const DumpRequest& request) {
  alignas(nlmsghdr) std::array<char, 64> bytes{};
  nlmsghdr* header = mnl_nlmsg_put_header(bytes.data());
  header->nlmsg_type = request.type;
  header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  header->nlmsg_seq = 1;
  // Room for the largest of the headers that these requests have: all zero, for all families.
  (void)mnl_nlmsg_put_extra_header(header, 16);
  if (mnl_socket_sendto(socket.get(), header, header->nlmsg_len) < 0) return status_of(errno);
  return TUNNEL_OK;
}

// Calls `take` with every message, until it says that the list is at its end.
void each_message(const char* bytes, std::size_t size,
                  const std::function<bool(const nlmsghdr*)>& take) {
  int left = static_cast<int>(size);
  const auto* message = reinterpret_cast<const nlmsghdr*>(bytes);
  while (mnl_nlmsg_ok(message, left) && take(message)) message = mnl_nlmsg_next(message, &left);
}

// The error that an end of a list carries, 0 = none.
int error_in(const nlmsghdr* end) {
  if (mnl_nlmsg_get_payload_len(end) < sizeof(int)) return 0;
  return -*static_cast<const int*>(mnl_nlmsg_get_payload(end));
}

std::int32_t receive(const Socket& socket, List& list) {
  std::vector<char> bytes(std::size_t{1} << 16);
  for (;;) {
    const ssize_t size = mnl_socket_recvfrom(socket.get(), bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return status_of(errno);
    std::optional<int> error;
    each_message(bytes.data(), static_cast<std::size_t>(size), [&](const nlmsghdr* message) {
      list.torn = list.torn || (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      const bool end = message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR;
      if (end) error = error_in(message);
      if (end) return false;
      const auto* begin = reinterpret_cast<const char*>(message);
      const auto length = static_cast<std::ptrdiff_t>(NLMSG_ALIGN(message->nlmsg_len));
      list.bytes.insert(list.bytes.end(), begin, begin + length);
      return true;
    });
    if (error) return *error == 0 ? TUNNEL_OK : status_of(*error);
  }
}

std::int32_t ask(const DumpRequest& request, List& list) {
  const Socket socket(mnl_socket_open2(request.bus, SOCK_CLOEXEC));
  if (socket == nullptr) return status_of(errno);
  if (mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) return status_of(errno);
  ::setsockopt(mnl_socket_get_fd(socket.get()), SOL_SOCKET, SO_RCVTIMEO, &kPatience,
               sizeof(kPatience));
  const std::int32_t status = send(socket, request);
  return status == TUNNEL_OK ? receive(socket, list) : status;
}

}  // namespace

Attributes::Attributes(const nlmsghdr* message, std::size_t header) {
  mnl_attr_parse(message, static_cast<unsigned>(header), take, this);
}

Attributes::Attributes(const nlattr* nest) {
  if (nest != nullptr) mnl_attr_parse_nested(nest, take, this);
}

int Attributes::take(const nlattr* attribute, void* self) {
  const std::size_t type = mnl_attr_get_type(attribute);
  if (type < kMax) static_cast<Attributes*>(self)->attributes_[type] = attribute;
  return MNL_CB_OK;
}

const nlattr* Attributes::get(std::size_t type) const noexcept {
  return type < kMax ? attributes_[type] : nullptr;
}

std::string Attributes::text(std::size_t type) const {
  const nlattr* attribute = get(type);
  if (attribute == nullptr) return {};
  const auto* bytes = static_cast<const char*>(mnl_attr_get_payload(attribute));
  return {bytes, ::strnlen(bytes, mnl_attr_get_payload_len(attribute))};
}

std::uint32_t Attributes::number(std::size_t type) const noexcept {
  const nlattr* attribute = get(type);
  if (attribute == nullptr || mnl_attr_validate(attribute, MNL_TYPE_U32) != 0) return 0;
  return mnl_attr_get_u32(attribute);
}

std::uint32_t Attributes::network_number(std::size_t type) const noexcept {
  return ntohl(number(type));
}

std::int32_t dump(const DumpRequest& request, const Take& take) {
  List list;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    list = {};
    if (const std::int32_t status = ask(request, list); status != TUNNEL_OK) return status;
    if (!list.torn) break;
  }
  each_message(list.bytes.data(), list.bytes.size(), [&take](const nlmsghdr* message) {
    take(message);
    return true;
  });
  return TUNNEL_OK;
}

}  // namespace tunnel::host
