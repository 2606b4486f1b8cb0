#include "transport/send_linux.h"

#include <algorithm>
#include <cerrno>
#include <utility>

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

// Errors by which a route refuses trains: IPsec or no checksum offload; datagrams longer than the
// MTU, to be sent as fragments (EINVAL before 6.10), a socket without checksums.
bool blames_train(int error) noexcept {
  return error == EIO || error == EMSGSIZE || error == EINVAL;
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

// Errors that the packets behind would meet as well.
bool stops_all(int error) noexcept {
  return error == EAGAIN || error == EBADF || error == ENOTSOCK;
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

constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;

int send_many(int fd, mmsghdr* messages, unsigned count) noexcept {
  return ::sendmmsg(fd, messages, count, kFlags);
}

ssize_t send_message(int fd, const msghdr* message) noexcept {
  return ::sendmsg(fd, message, kFlags);
}

}  // namespace

const SendCalls kKernelSends{send_many, send_message};

SendBatch::SendBatch(TrainLimits& limits, const SendCalls& calls) noexcept
    : limits_(limits), calls_(calls) {
  for (std::size_t i = 0; i < TrainPlan::kPackets; ++i) {
    messages_[i].msg_hdr.msg_name = &names_[i];
  }
}

std::int32_t SendBatch::flush(int fd) noexcept {
  if (plan_.empty()) return TUNNEL_OK;
  count_ = 0;
  packets_count_ = 0;
  bytes_count_ = 0;
  plan_.for_each([this](Train train) { lay(train); });
  plan_.clear();
  return send_all(fd);
}

// Makes the next message.
void SendBatch::lay(Train train) noexcept {
  const std::size_t i = count_++;
  first_[i] = static_cast<std::uint8_t>(packets_count_);
  std::ranges::copy(train, packets_.begin() + static_cast<std::ptrdiff_t>(packets_count_));
  packets_count_ += train.size();

  const tunnel_packet& first = *train.front();
  msghdr& header = messages_[i].msg_hdr;
  header.msg_namelen = to_socket_address(first.remote, names_[i]);
  header.msg_control = nullptr;
  header.msg_controllen = 0;
  if (first.local.family == first.remote.family) write_source(first.local, controls_[i], header);
  if (train.size() > 1) {
    write_segment(static_cast<std::uint16_t>(first.length), controls_[i], header);
  }
  lay_bytes(train, header);
}

// Packets that touch each other are one piece of memory.
void SendBatch::lay_bytes(Train train, msghdr& header) noexcept {
  iovec* piece = &bytes_[bytes_count_];
  header.msg_iov = piece;
  *piece = {train.front()->data, train.front()->length};
  for (tunnel_packet* packet : train.subspan(1)) {
    if (static_cast<std::uint8_t*>(piece->iov_base) + piece->iov_len == packet->data) {
      piece->iov_len += packet->length;
    } else {
      *++piece = {packet->data, packet->length};
    }
  }
  header.msg_iovlen = static_cast<std::size_t>(piece - header.msg_iov) + 1;
  bytes_count_ += header.msg_iovlen;
}

// The kernel stops at the first message it refuses and reports its error only when that message is
// the first of a call. So an error is always about message `done`, and none is lost.
std::int32_t SendBatch::send_all(int fd) noexcept {
  int attempt = 0;
  for (std::size_t done = 0; done < count_;) {
    const int sent = calls_.send_many(fd, &messages_[done], static_cast<unsigned>(count_ - done));
    if (sent > 0) {
      const std::size_t next = done + static_cast<std::size_t>(sent);
      settle(packets_of(done, next), TUNNEL_VERDICT_SENT);
      done = next;
      attempt = 0;
      continue;
    }
    const int error = errno;
    if (worth_another_attempt(error, attempt++)) continue;
    const std::int32_t status = send_singly(fd, done, error);
    if (status != TUNNEL_OK) {
      settle(packets_of(done + 1, count_), status);
      return status;
    }
    ++done;
    attempt = 0;
  }
  return TUNNEL_OK;
}

// A message was refused with `error`. Each of its packets gets an answer of its own; if a train was
// refused although they pass, no more such trains go there.
std::int32_t SendBatch::send_singly(int fd, std::size_t message, int error) noexcept {
  const Train train = packets_of(message, message + 1);
  iovec bytes;
  msghdr header = messages_[message].msg_hdr;
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  if (train.size() > 1) header.msg_controllen -= CMSG_SPACE(sizeof(std::uint16_t));
  const std::size_t source = header.msg_controllen;
  int known = train.size() == 1 || stops_all(error) ? error : 0;
  for (std::size_t i = 0; i < train.size(); ++i) {
    bytes = {train[i]->data, train[i]->length};
    const std::int32_t verdict = send_one(fd, header, *train[i], std::exchange(known, 0));
    if (verdict == TUNNEL_VERDICT_WAIT || verdict == TUNNEL_ERR_CLOSED) {
      settle(train.subspan(i), verdict);
      return verdict;
    }
    train[i]->verdict = verdict;
  }
  const tunnel_packet& first = *train.front();
  const bool passed = first.verdict == TUNNEL_VERDICT_SENT && header.msg_controllen == source;
  if (train.size() > 1 && passed && blames_train(error)) {
    limits_.lower(first.remote, error == EMSGSIZE ? first.length - 1 : 0);
  }
  return TUNNEL_OK;
}

// `error` is what sending it met already, 0 = not yet sent. A source address that is no longer ours
// is taken out of the header, too: those that follow share it.
std::int32_t SendBatch::send_one(int fd, msghdr& header, tunnel_packet& packet,
                                 int error) noexcept {
  for (int attempt = 0;; error = 0) {
    if (header.msg_controllen == 0) packet.local.family = TUNNEL_FAMILY_NONE;
    if (error == 0 && calls_.send_one(fd, &header) >= 0) return TUNNEL_VERDICT_SENT;
    if (error == 0) error = errno;
    if (header.msg_controllen != 0 && blames_source(error)) {
      header.msg_control = nullptr;
      header.msg_controllen = 0;
    } else if (!worth_another_attempt(error, attempt++)) {
      return final_verdict(error);
    }
  }
}

// Those of the messages from `from` to before `to`.
Train SendBatch::packets_of(std::size_t from, std::size_t to) const noexcept {
  const auto packet_of = [this](std::size_t message) {
    return message < count_ ? first_[message] : packets_count_;
  };
  return Train(packets_.data() + packet_of(from), packet_of(to) - packet_of(from));
}

void SendBatch::settle(Train packets, std::int32_t verdict) noexcept {
  for (tunnel_packet* packet : packets) packet->verdict = verdict < 0 ? TUNNEL_DROP_IO : verdict;
}

}  // namespace tunnel::transport
