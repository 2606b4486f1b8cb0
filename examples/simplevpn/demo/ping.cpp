#include "ping.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

namespace simplevpn::demo {
namespace {

constexpr std::size_t kHeader = 8;  // type, code, checksum, identifier, sequence
constexpr std::size_t kMessage = kHeader + 56;
constexpr std::uint32_t kHopeless = 5;  // lost one after the other: then it gives up
using Message = std::array<std::uint8_t, kMessage>;

struct Target {
  sockaddr_storage address{};
  socklen_t length = 0;
  bool six = false;
};

Target read_target(const std::string& text) {
  Target target;
  auto* four = reinterpret_cast<sockaddr_in*>(&target.address);
  auto* six = reinterpret_cast<sockaddr_in6*>(&target.address);
  if (inet_pton(AF_INET6, text.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    target.length = sizeof *six;
    target.six = true;
  } else if (inet_pton(AF_INET, text.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    target.length = sizeof *four;
  }
  return target;
}

std::uint16_t internet_checksum(const Message& message) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < message.size(); i += 2) {
    sum += static_cast<std::uint32_t>(message[i] << 8 | message[i + 1]);
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// Sends requests and knows its answers. Lives in a child inside the host.
class Pinger {
 public:
  explicit Pinger(const Target& target) : six_(target.six) {
    socket_ = Descriptor(six_ ? socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6)
                              : socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
    // A connected raw socket gets only what comes from there.
    const auto* address = reinterpret_cast<const sockaddr*>(&target.address);
    ready_ = socket_.valid() && connect(socket_.get(), address, target.length) == 0;
  }
  bool ready() const { return ready_; }

  // Round-trip time in seconds; nothing when no answer came.
  std::optional<double> echo(std::uint16_t sequence, double patience_s) const {
    const Message request = make_request(sequence);
    const double sent = now_s();
    if (send(socket_.get(), request.data(), request.size(), 0) < 0) return {};
    for (double left = patience_s; left > 0; left = sent + patience_s - now_s()) {
      pollfd ready{socket_.get(), POLLIN, 0};
      if (poll(&ready, 1, static_cast<int>(left * 1000) + 1) <= 0) return {};
      if (is_answer(request)) return now_s() - sent;
    }
    return {};
  }

 private:
  Message make_request(std::uint16_t sequence) const {
    Message message{};
    message[0] = six_ ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
    const auto id = static_cast<std::uint16_t>(getpid());
    message[4] = static_cast<std::uint8_t>(id >> 8);
    message[5] = static_cast<std::uint8_t>(id);
    message[6] = static_cast<std::uint8_t>(sequence >> 8);
    message[7] = static_cast<std::uint8_t>(sequence);
    std::memcpy(message.data() + kHeader, kMarker, sizeof kMarker - 1);
    if (six_) return message;  // the kernel sums ICMPv6
    const std::uint16_t sum = internet_checksum(message);
    message[2] = static_cast<std::uint8_t>(sum >> 8);
    message[3] = static_cast<std::uint8_t>(sum);
    return message;
  }

  // IPv4 raw sockets give the IP header too, IPv6 ones do not.
  bool is_answer(const Message& request) const {
    std::uint8_t packet[256];
    const ssize_t got = recv(socket_.get(), packet, sizeof packet, 0);
    const std::size_t header = six_ || got <= 0 ? 0 : (packet[0] & 15u) * 4u;
    if (got < static_cast<ssize_t>(header + kMessage)) return false;
    const std::uint8_t* answer = packet + header;
    return answer[0] == (six_ ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) &&
           std::memcmp(answer + 4, request.data() + 4, kMessage - 4) == 0;
  }

  Descriptor socket_;
  bool six_;
  bool ready_ = false;
};

int run_series(const std::string& to, std::uint32_t count, PingResult& result) {
  const Pinger pinger(read_target(to));
  if (!pinger.ready()) return 1;
  std::vector<double> times;
  std::uint32_t lost_in_a_row = 0;
  while (result.sent < count && lost_in_a_row < kHopeless) {
    const auto time = pinger.echo(static_cast<std::uint16_t>(result.sent++), 1);
    lost_in_a_row = time ? 0 : lost_in_a_row + 1;
    if (time) times.push_back(*time);
  }
  result.answered = static_cast<std::uint32_t>(times.size());
  if (times.empty()) return 0;
  std::sort(times.begin(), times.end());
  result.median_ms = times[times.size() / 2] * 1000;
  result.worst_ms = times.back() * 1000;
  return 0;
}

}  // namespace

PingResult ping(const Host& from, const std::string& to, std::uint32_t count) {
  Shared<PingResult> result;
  Process child = from.start([&] { return run_series(to, count, *result); });
  static_cast<void>(child.wait(count + 1.0));
  return *result;
}

bool answers(const Host& from, const std::string& to, double seconds) {
  Process child = from.start([&] {
    std::uint16_t sequence = 0;
    return wait_until(seconds, 1,
                      [&] {
                        const Pinger pinger(read_target(to));  // anew: there may be no route yet
                        return pinger.ready() && pinger.echo(++sequence, 0.02).has_value();
                      })
               ? 0
               : 1;
  });
  return child.wait(seconds + 1) == 0;
}

}  // namespace simplevpn::demo
