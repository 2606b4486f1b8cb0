#include "transport/send_linux.h"

#include <cassert>
#include <cerrno>

namespace tunnel::transport {

namespace {

// A socket can report errors of earlier datagrams; each is seen once. More than this many in a row
// belong to the datagram at hand.
constexpr int kMaxAttempts = 8;

// Errors that a source address can cause which is no longer ours, or whose interface is gone.
bool blames_source(int error) noexcept {
  switch (error) {
    case EINVAL:
    case EADDRNOTAVAIL:
    case ENODEV:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
      return true;
    default:
      return false;
  }
}

// Errors that say nothing about the datagram at hand, or may be over in a moment.
bool worth_another_attempt(int error, int attempt) noexcept {
  switch (error) {
    case EINTR:
    case ECONNREFUSED:
      return attempt < kMaxAttempts;
    case ENOBUFS:
    case ENOMEM:
      return attempt < 1;
    default:
      return false;
  }
}

std::int32_t final_verdict(int error) noexcept {
  switch (error) {
    case EAGAIN:
      return TUNNEL_VERDICT_WAIT;
    case EBADF:
    case ENOTSOCK:
      return TUNNEL_ERR_CLOSED;
    case EMSGSIZE:
      return TUNNEL_DROP_TOO_BIG;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EACCES:  // a route of type prohibit
      return TUNNEL_DROP_UNREACHABLE;
    default:  // EPERM: a firewall of this host. ENOBUFS: no memory for it.
      return TUNNEL_DROP_IO;
  }
}

}  // namespace

SendBatch::SendBatch() noexcept {
  for (std::size_t i = 0; i < kSize; ++i) {
    messages_[i].msg_hdr.msg_name = &names_[i];
    messages_[i].msg_hdr.msg_iov = &bytes_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
  }
}

void SendBatch::add(tunnel_packet& packet) noexcept {
  assert(!full());
  const std::size_t i = count_++;
  packets_[i] = &packet;
  bytes_[i] = {packet.data, packet.length};
  msghdr& header = messages_[i].msg_hdr;
  header.msg_namelen = to_socket_address(packet.remote, names_[i]);
  header.msg_control = nullptr;
  header.msg_controllen = 0;
  if (packet.local.family == packet.remote.family) {
    write_source(packet.local, controls_[i], header);
  }
}

std::int32_t SendBatch::flush(int fd) noexcept {
  const std::int32_t status = send_all(fd);
  count_ = 0;
  return status;
}

// The kernel stops at the first datagram it refuses and reports its error only when that datagram
// is the first of a call. So an error is always about messages_[done], and none is lost.
std::int32_t SendBatch::send_all(int fd) noexcept {
  int attempt = 0;
  for (std::size_t done = 0; done < count_;) {
    const auto left = static_cast<unsigned>(count_ - done);
    const int sent = ::sendmmsg(fd, &messages_[done], left, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      settle(done, done + static_cast<std::size_t>(sent), TUNNEL_VERDICT_SENT);
      done += static_cast<std::size_t>(sent);
      attempt = 0;
      continue;
    }
    const std::int32_t verdict = resend_or_verdict(done, errno, attempt++);
    if (verdict == TUNNEL_VERDICT_WAIT || verdict == TUNNEL_ERR_CLOSED) {
      settle(done, count_, verdict < 0 ? TUNNEL_DROP_IO : verdict);
      return verdict;
    }
    if (verdict == TUNNEL_VERDICT_NONE) continue;
    packets_[done++]->verdict = verdict;
    attempt = 0;
  }
  return TUNNEL_OK;
}

// TUNNEL_VERDICT_NONE: send it again. Otherwise what becomes of it.
std::int32_t SendBatch::resend_or_verdict(std::size_t i, int error, int attempt) noexcept {
  if (messages_[i].msg_hdr.msg_controllen > 0 && blames_source(error)) {
    forget_source(i);
    return TUNNEL_VERDICT_NONE;
  }
  if (worth_another_attempt(error, attempt)) return TUNNEL_VERDICT_NONE;
  return final_verdict(error);
}

void SendBatch::forget_source(std::size_t i) noexcept {
  packets_[i]->local.family = TUNNEL_FAMILY_NONE;
  messages_[i].msg_hdr.msg_control = nullptr;
  messages_[i].msg_hdr.msg_controllen = 0;
}

void SendBatch::settle(std::size_t from, std::size_t to, std::int32_t verdict) noexcept {
  for (std::size_t i = from; i < to; ++i) packets_[i]->verdict = verdict;
}

}  // namespace tunnel::transport
