#include "channel.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <type_traits>

namespace simplevpn {
namespace {

constexpr int kRoom = 4 << 20;  // thousands of messages, while the other side is busy

static_assert(std::is_trivially_copyable_v<Message>);

// Printable characters and an end.
template <std::size_t Size>
void tame(std::array<char, Size>& text) {
  text.back() = '\0';
  for (char& c : text) {
    if (c != '\0' && (c < ' ' || c > '~')) c = '?';
  }
}

void tame(tunnel_address& address) {
  const bool known = address.family == TUNNEL_FAMILY_NONE || address.family == TUNNEL_FAMILY_IPV4 ||
                     address.family == TUNNEL_FAMILY_IPV6;
  if (!known) address = {};
}

void tame(Message& message) {
  if (message.word > Word::release) message.word = Word::none;
  message.count = std::min(message.count, static_cast<std::uint32_t>(message.addresses.size()));
  message.event.size = sizeof message.event;
  tame(message.event.address);
  for (tunnel_address& address : message.addresses) tame(address);
  tame(message.name);
  tame(message.reason);
}

}  // namespace

std::int32_t Channel::make(Channel& one, Channel& other) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return TUNNEL_ERR_RESOURCES;
  }
  one.handle_.reset(ends[0]);
  other.handle_.reset(ends[1]);
  for (const int end : ends) {
    // More than the machine's limit is for those with CAP_NET_ADMIN, which we have.
    setsockopt(end, SOL_SOCKET, SO_SNDBUFFORCE, &kRoom, sizeof kRoom);
  }
  return TUNNEL_OK;
}

bool Channel::try_send(const Message& message) const {
  return put(message, MSG_DONTWAIT);
}

bool Channel::put(const Message& message, int flags) const {
  ssize_t sent = 0;
  do sent = ::send(handle_.get(), &message, sizeof message, MSG_NOSIGNAL | flags);
  while (sent < 0 && errno == EINTR);
  return sent == sizeof message;
}

Channel::Got Channel::receive(Message& message) const {
  const ssize_t got = recv(handle_.get(), &message, sizeof message, MSG_DONTWAIT | MSG_TRUNC);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Got::nothing;
  if (got != sizeof message) return Got::closed;
  tame(message);
  return Got::message;
}

}  // namespace simplevpn
