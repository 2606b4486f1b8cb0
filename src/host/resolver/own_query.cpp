#include "host/resolver/own_query.h"

#include <ares.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <utility>

#include "host/system/system.h"

namespace tunnel::host {
namespace {

using Clock = std::chrono::steady_clock;
using Resolvers = std::vector<tunnel_address>;

constexpr std::chrono::seconds kLimit{15};
constexpr std::chrono::milliseconds kFirstTimeout{1500};  // of one resolver; it doubles
constexpr int kTries = 2;

// ---- sockets: c-ares 1.18 knows neither marks nor the scope of a resolver's address

struct Sockets {
  const Resolvers& resolvers;
  std::uint32_t mark;
  int error = 0;  // errno of the last socket that could not be had
};

ares_socket_t cares_open(int family, int type, int protocol, void* self) {
  auto& sockets = *static_cast<Sockets*>(self);
  const int fd = ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  const std::uint32_t mark = sockets.mark;
  if (fd >= 0 && mark != 0 && ::setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0) {
    sockets.error = errno;
    ::close(fd);
    return ARES_SOCKET_BAD;
  }
  if (fd < 0) sockets.error = errno;
  return fd;
}

int cares_close(ares_socket_t fd, void*) {
  return ::close(fd);
}

// A link-local resolver is reached through the interface it was learnt from.
int cares_connect(ares_socket_t fd, const sockaddr* to, ares_socklen_t size, void* self) {
  if (to->sa_family != AF_INET6 || size < sizeof(sockaddr_in6)) return ::connect(fd, to, size);
  sockaddr_in6 scoped;
  std::memcpy(&scoped, to, sizeof scoped);
  for (const tunnel_address& resolver : static_cast<Sockets*>(self)->resolvers) {
    const bool same = resolver.family == TUNNEL_FAMILY_IPV6 &&
                      std::memcmp(resolver.bytes, &scoped.sin6_addr, sizeof resolver.bytes) == 0;
    if (same) scoped.sin6_scope_id = resolver.scope;
  }
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&scoped), sizeof scoped);
}

ares_ssize_t cares_receive(ares_socket_t fd, void* data, std::size_t size, int flags,
                           sockaddr* from, ares_socklen_t* from_size, void*) {
  return ::recvfrom(fd, data, size, flags, from, from_size);
}

ares_ssize_t cares_send(ares_socket_t fd, const iovec* parts, int count, void*) {
  return send_parts(fd, parts, count);
}

constexpr ares_socket_functions kSocketFunctions{cares_open, cares_close, cares_connect,
                                                 cares_receive, cares_send};

// ---- one question

struct EndChannel {
  void operator()(ares_channel channel) const noexcept { ::ares_destroy(channel); }
};
using Channel = std::unique_ptr<std::remove_pointer_t<ares_channel>, EndChannel>;

// Full names only, each resolver twice, the hosts file first.
int open_channel(Channel& channel) {
  std::array<char, 3> lookups{'f', 'b', '\0'};
  ares_options options{};
  options.flags = ARES_FLAG_NOSEARCH;
  options.timeout = static_cast<int>(kFirstTimeout.count());
  options.tries = kTries;
  options.lookups = lookups.data();
  ares_channel opened = nullptr;
  const int status = ::ares_init_options(
      &opened, &options, ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS);
  if (status == ARES_SUCCESS) channel.reset(opened);
  return status;
}

int set_resolvers(ares_channel channel, const Resolvers& resolvers) {
  std::vector<ares_addr_port_node> nodes(resolvers.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const bool is_ipv6 = resolvers[i].family == TUNNEL_FAMILY_IPV6;
    nodes[i].family = is_ipv6 ? AF_INET6 : AF_INET;
    nodes[i].udp_port = nodes[i].tcp_port = resolvers[i].port;
    std::memcpy(&nodes[i].addr, resolvers[i].bytes, is_ipv6 ? 16 : 4);
    nodes[i].next = i + 1 < nodes.size() ? &nodes[i + 1] : nullptr;
  }
  return ::ares_set_servers_ports(channel, nodes.data());
}

struct Question {
  std::uint16_t port;
  bool answered = false;
  int status = ARES_SUCCESS;
  std::vector<tunnel_address> addresses{};
};

tunnel_address address_of(const ares_addrinfo_node& node, std::uint16_t port) noexcept {
  tunnel_address address{};
  address.port = port;
  if (node.ai_family == AF_INET) {
    address.family = TUNNEL_FAMILY_IPV4;
    sockaddr_in from;
    std::memcpy(&from, node.ai_addr, sizeof from);
    std::memcpy(address.bytes, &from.sin_addr, sizeof from.sin_addr);
  } else if (node.ai_family == AF_INET6) {
    address.family = TUNNEL_FAMILY_IPV6;
    sockaddr_in6 from;
    std::memcpy(&from, node.ai_addr, sizeof from);
    std::memcpy(address.bytes, &from.sin6_addr, sizeof from.sin6_addr);
  }
  return address;
}

void take_answer(void* self, int status, int, ares_addrinfo* found) {
  auto& question = *static_cast<Question*>(self);
  question.answered = true;
  question.status = status;
  const ares_addrinfo_node* node = found == nullptr ? nullptr : found->nodes;
  for (; node != nullptr; node = node->ai_next) {
    const tunnel_address address = address_of(*node, question.port);
    if (address.family != TUNNEL_FAMILY_NONE) question.addresses.push_back(address);
  }
  if (found != nullptr) ::ares_freeaddrinfo(found);
}

int milliseconds_of(const timeval& time) {
  return static_cast<int>(time.tv_sec * 1000 + (time.tv_usec + 999) / 1000);
}

// Waits for something to read or write, or for the next repetition, and lets c-ares go on.
void turn(ares_channel channel) {
  std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
  const int bits = ::ares_getsock(channel, sockets.data(), ARES_GETSOCK_MAXNUM);
  std::array<pollfd, ARES_GETSOCK_MAXNUM> waits{};
  nfds_t count = 0;
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    const auto place = static_cast<int>(i);
    const bool reads = ARES_GETSOCK_READABLE(bits, place) != 0;
    const bool writes = ARES_GETSOCK_WRITABLE(bits, place) != 0;
    const int events = (reads ? POLLIN : 0) | (writes ? POLLOUT : 0);
    if (events != 0) waits[count++] = {sockets[i], static_cast<short>(events), 0};
  }
  timeval longest{1, 0};
  timeval pause{};
  const timeval* next = ::ares_timeout(channel, &longest, &pause);
  (void)::poll(waits.data(), count, milliseconds_of(*next));
  for (nfds_t i = 0; i < count; ++i) {
    const bool failed = (waits[i].revents & (POLLERR | POLLHUP)) != 0;
    const bool reads = failed || (waits[i].revents & POLLIN) != 0;
    const bool writes = (waits[i].revents & POLLOUT) != 0;
    ::ares_process_fd(channel, reads ? waits[i].fd : ARES_SOCKET_BAD,
                      writes ? waits[i].fd : ARES_SOCKET_BAD);
  }
  ::ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // repetitions
}

LookupResult ask(const Resolvers& resolvers, std::uint32_t mark, const std::string& host,
                 std::uint16_t port) {
  Sockets sockets{resolvers, mark};
  Question question{port};
  Channel channel;
  int status = open_channel(channel);
  if (status == ARES_SUCCESS) status = set_resolvers(channel.get(), resolvers);
  if (status != ARES_SUCCESS) return {{}, ::ares_strerror(status)};
  ::ares_set_socket_functions(channel.get(), &kSocketFunctions, &sockets);
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  const Clock::time_point end = Clock::now() + kLimit;
  ::ares_getaddrinfo(channel.get(), host.c_str(), nullptr, &hints, take_answer, &question);
  while (!question.answered && Clock::now() < end) turn(channel.get());
  if (!question.answered) ::ares_cancel(channel.get());
  if (!question.addresses.empty()) return {question.addresses, {}};
  if (sockets.error != 0) return {{}, "no socket for the question: " + text_of(sockets.error)};
  return {{}, ::ares_strerror(question.status)};
}

}  // namespace

ssize_t send_parts(int fd, const iovec* parts, int count) noexcept {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<std::size_t>(count);
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

Lookup own_query(std::vector<tunnel_address> resolvers, std::uint32_t mark) {
  return [resolvers = std::move(resolvers), mark](const std::string& host, std::uint16_t port) {
    return ask(resolvers, mark, host, port);
  };
}

}  // namespace tunnel::host
