// bench_probe — UDP round trips and UDP floods, with a partner at the other end.
//
//   bench_probe partner PORT
//   bench_probe rtt ADDRESS PORT COUNT INTERVAL_US SIZE
//   bench_probe flood ADDRESS PORT SIZE RATE MILLISECONDS
//
// rtt: one datagram, its answer, then the next after the interval. A datagram without an answer
// within a second is lost. Times are those of CLOCK_MONOTONIC around send and the return of recv,
// so they hold what a program sees: system calls and wake-ups too. `resolution_ns` is the smallest
// step of that clock that was seen.
//
// flood: one datagram per send(2), RATE a second (0: as fast as it goes), in steps of 200 us. The
// partner counts; it is asked until its answer stays the same, because queues are still emptied
// when the last datagram has been sent. Sent is what the system took.
#include <arpa/inet.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <optional>
#include <vector>

#include "measure.h"

namespace {

using namespace bench;

constexpr std::uint64_t kStep = 200'000;
constexpr int kBuffer = 4 << 20;
constexpr std::size_t kLargest = 65'536;

enum class Kind : std::uint32_t { echo = 1, count, report };

// What every datagram begins with.
struct Header {
  Kind kind;
  std::uint32_t run;
  std::uint64_t value;
};

void set_buffers(int socket) {
  for (const int option : {SO_RCVBUFFORCE, SO_SNDBUFFORCE}) {
    (void)setsockopt(socket, SOL_SOCKET, option, &kBuffer, sizeof kBuffer);
  }
}

void set_patience(int socket, std::uint64_t ms) {
  const timeval time{static_cast<time_t>(ms / 1000), static_cast<suseconds_t>(ms % 1000 * 1000)};
  require(setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0, "no patience");
}

int make_socket() {
  const int made = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  require(made >= 0, "no socket");
  set_buffers(made);
  return made;
}

std::uint64_t number(const char* text) {
  return std::strtoull(text, nullptr, 10);
}

int connected(const char* address, const char* port) {
  const int made = make_socket();
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(number(port)));
  require(inet_pton(AF_INET, address, &to.sin_addr) == 1, "no IPv4 address");
  require(connect(made, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "not connected");
  return made;
}

void wait_until(std::uint64_t when) {
  const timespec time{static_cast<time_t>(when / 1'000'000'000),
                      static_cast<long>(when % 1'000'000'000)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) == EINTR) {
  }
}

// ---- partner: answers, counts, reports, until it is killed

class Partner {
 public:
  explicit Partner(const char* port) : socket_(make_socket()) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(static_cast<std::uint16_t>(number(port)));
    require(bind(socket_, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0, "port taken");
    for (std::size_t i = 0; i < kMany; ++i) {
      pieces_[i] = {bytes_[i].data(), bytes_[i].size()};
      messages_[i].msg_hdr.msg_name = &from_[i];
      messages_[i].msg_hdr.msg_iov = &pieces_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  // Many at once, so that the partner is not what limits a flood of small datagrams.
  [[noreturn]] void run() {
    for (;;) {
      for (auto& message : messages_) message.msg_hdr.msg_namelen = sizeof(sockaddr_in);
      const int count = recvmmsg(socket_, messages_.data(), kMany, MSG_WAITFORONE, nullptr);
      for (int i = 0; i < count; ++i) take(static_cast<std::size_t>(i));
    }
  }

 private:
  static constexpr std::size_t kMany = 64;

  void take(std::size_t i) {
    Header header;
    if (messages_[i].msg_len < sizeof header) return;
    std::memcpy(&header, bytes_[i].data(), sizeof header);
    if (header.kind == Kind::count) return count(header.run);
    if (header.kind == Kind::report) header.value = header.run == run_ ? count_ : 0;
    std::memcpy(bytes_[i].data(), &header, sizeof header);
    (void)sendto(socket_, bytes_[i].data(), messages_[i].msg_len, 0,
                 reinterpret_cast<const sockaddr*>(&from_[i]), sizeof from_[i]);
  }
  void count(std::uint32_t run) {
    if (run != run_) run_ = run, count_ = 0;
    ++count_;
  }

  int socket_;
  std::uint32_t run_ = 0;
  std::uint64_t count_ = 0;
  std::array<std::array<std::uint8_t, 2048>, kMany> bytes_;
  std::array<sockaddr_in, kMany> from_;
  std::array<iovec, kMany> pieces_;
  std::array<mmsghdr, kMany> messages_{};
};

// Sends a question and waits for the answer to it; older answers are passed over.
std::optional<std::uint64_t> ask(int socket, Header header, std::size_t size) {
  std::array<std::uint8_t, kLargest> bytes{};
  std::memcpy(bytes.data(), &header, sizeof header);
  (void)send(socket, bytes.data(), size, 0);
  for (;;) {
    const auto got = recv(socket, bytes.data(), bytes.size(), 0);
    if (got < 0) return std::nullopt;
    Header answer;
    std::memcpy(&answer, bytes.data(), sizeof answer);
    if (answer.kind == header.kind && answer.run == header.run) return answer.value;
  }
}

// ---- round trips

std::uint64_t clock_resolution() {
  std::uint64_t smallest = UINT64_MAX;
  for (int i = 0; i < 10'000; ++i) {
    const auto before = now_ns();
    const auto step = now_ns() - before;
    if (step > 0) smallest = std::min(smallest, step);
  }
  return smallest;
}

double at(const std::vector<double>& sorted, double share) {
  const auto index = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1));
  return sorted[index];
}

int rtt(char** values) {
  const int socket = connected(values[2], values[3]);
  const auto count = number(values[4]), interval = 1000 * number(values[5]);
  const auto size = std::clamp<std::size_t>(number(values[6]), sizeof(Header), 2048);
  set_patience(socket, 1000);
  std::vector<double> us;
  double sum = 0;
  for (std::uint32_t i = 1; i <= count; ++i) {
    const auto before = now_ns();
    const bool answered = ask(socket, {Kind::echo, i, 0}, size).has_value();
    const auto after = now_ns();
    if (answered) us.push_back(static_cast<double>(after - before) / 1e3), sum += us.back();
    wait_until(before + interval);
  }
  require(!us.empty(), "no answer at all");
  std::sort(us.begin(), us.end());
  print_line("rtt", "probe",
             {{"mean_us", sum / static_cast<double>(us.size())},
              {"p50_us", at(us, 0.5)},
              {"p99_us", at(us, 0.99)},
              {"max_us", us.back()},
              {"lost", static_cast<double>(count - us.size())},
              {"resolution_ns", static_cast<double>(clock_resolution())}});
  return 0;
}

// ---- floods

// Sends until the time is over; returns how many the system took.
std::uint64_t send_all(int socket, std::vector<std::uint8_t>& bytes, std::uint64_t rate,
                       std::uint64_t duration) {
  std::uint64_t sent = 0;
  const auto begin = now_ns();
  for (auto now = begin; now - begin < duration; now = now_ns()) {
    const auto due = rate == 0 ? sent + 64 : rate * (now - begin) / 1'000'000'000 + 1;
    while (sent < due && send(socket, bytes.data(), bytes.size(), 0) >= 0) ++sent;
    if (rate != 0) wait_until(now + kStep);
  }
  return sent;
}

std::uint64_t settled_count(int socket, std::uint32_t run) {
  std::uint64_t last = 0;
  set_patience(socket, 100);
  for (int same = 0, tries = 0; same < 3 && tries < 50; ++tries) {
    const auto count = ask(socket, {Kind::report, run, 0}, sizeof(Header));
    same = count && *count == last ? same + 1 : 0;
    last = count.value_or(last);
    wait_until(now_ns() + 40'000'000);
  }
  return last;
}

int flood(char** values) {
  const int socket = connected(values[2], values[3]);
  const auto rate = number(values[5]), duration = 1'000'000 * number(values[6]);
  std::vector<std::uint8_t> bytes(
      std::clamp<std::size_t>(number(values[4]), sizeof(Header), kLargest));
  const Header header{Kind::count, static_cast<std::uint32_t>(now_ns() >> 10 | 1), 0};
  std::memcpy(bytes.data(), &header, sizeof header);
  const auto before = now_ns();
  const auto sent = send_all(socket, bytes, rate, duration);
  const double seconds = static_cast<double>(now_ns() - before) / 1e9;
  const auto received = settled_count(socket, header.run);
  print_line("flood", "probe",
             {{"seconds", seconds},
              {"sent", static_cast<double>(sent)},
              {"received", static_cast<double>(received)}});
  return 0;
}

}  // namespace

int main(int count, char** values) {
  const std::string_view verb = count > 1 ? values[1] : "";
  prctl(PR_SET_TIMERSLACK, 1000);
  if (verb == "partner" && count == 3) Partner(values[2]).run();
  if (verb == "rtt" && count == 7) return rtt(values);
  if (verb == "flood" && count == 7) return flood(values);
  std::fprintf(stderr, "usage: bench_probe partner|rtt|flood ..., see bench/probe.cpp\n");
  return 2;
}
