// Batches and trains before a kernel that refuses, fills up and forgets: a pretended one with all
// errors at random, and the real one where it can be brought to refuse.
#include "transport/send_linux.h"

#include <netinet/udp.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <random>
#include <vector>

#include "support/hosts.h"

using test::Hosts;
using test::Outgoing;
using test::run_command;
using tunnel::transport::SendBatch;
using tunnel::transport::SendCalls;
using tunnel::transport::TrainLimits;
using tunnel::transport::TrainPlan;

namespace {

// What the pretended kernel does. The calls are plain functions, so it stands alone.
struct Kernel {
  std::mt19937 random;
  std::map<std::uint16_t, int> refuses_trains;   // by port: the error
  std::map<std::uint16_t, int> refuses_always;   // by port: the error
  std::map<std::uint16_t, int> refuses_sources;  // by port: the error
  int passing_error = 0;                         // now and then, about nobody
  long room = 1 << 20;                           // datagrams until EAGAIN
  std::map<std::uint16_t, std::vector<std::string>> sent;
  std::size_t trains_refused = 0;
} kernel;

std::uint16_t segment_of(const msghdr& message) {
  for (auto* at = CMSG_FIRSTHDR(&message); at != nullptr;
       at = CMSG_NXTHDR(const_cast<msghdr*>(&message), at)) {
    if (at->cmsg_level != IPPROTO_UDP) continue;
    REQUIRE(at->cmsg_len == CMSG_LEN(sizeof(std::uint16_t)));
    return *reinterpret_cast<const std::uint16_t*>(CMSG_DATA(at));
  }
  return 0;
}

bool has_source(const msghdr& message) {
  const auto* first = CMSG_FIRSTHDR(&message);
  return first != nullptr && first->cmsg_level == IPPROTO_IP;
}

int refusal(const msghdr& message, std::uint16_t port) {
  const auto error = [&](const std::map<std::uint16_t, int>& errors) {
    const auto found = errors.find(port);
    return found == errors.end() ? 0 : found->second;
  };
  if (kernel.room <= 0) return EAGAIN;
  if (kernel.passing_error != 0 && kernel.random() % 16 == 0) return kernel.passing_error;
  if (error(kernel.refuses_always) != 0) return error(kernel.refuses_always);
  if (has_source(message) && error(kernel.refuses_sources) != 0) {
    return error(kernel.refuses_sources);
  }
  const int train_error = segment_of(message) != 0 ? error(kernel.refuses_trains) : 0;
  if (train_error != 0) ++kernel.trains_refused;
  return train_error;
}

ssize_t pretend_one(int, const msghdr* message) {
  const auto port = ntohs(static_cast<const sockaddr_in*>(message->msg_name)->sin_port);
  if (const int error = refusal(*message, port); error != 0) {
    errno = error;
    return -1;
  }
  std::string all;
  for (std::size_t i = 0; i < message->msg_iovlen; ++i) {
    const auto& piece = message->msg_iov[i];
    all.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  const std::size_t segment = segment_of(*message) != 0 ? segment_of(*message) : all.size();
  REQUIRE(all.size() <= 65'507);
  REQUIRE((segment == 0 || all.size() <= 63 * segment));
  std::size_t at = 0;
  do {
    kernel.sent[port].push_back(all.substr(at, segment));
    --kernel.room;
    at += segment;
  } while (at < all.size());
  return static_cast<ssize_t>(all.size());
}

// As sendmmsg(2): an error is reported only when it is the first message's.
int pretend_many(int, mmsghdr* messages, unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    const bool tires = i > 0 && kernel.random() % 8 == 0;
    if (tires || pretend_one(0, &messages[i].msg_hdr) < 0) return i == 0 ? -1 : static_cast<int>(i);
  }
  return static_cast<int>(count);
}

constexpr SendCalls kPretended{pretend_many, pretend_one};

std::map<std::uint16_t, std::vector<std::string>> texts_with(const Outgoing& out,
                                                             std::int32_t verdict) {
  std::map<std::uint16_t, std::vector<std::string>> texts;
  for (std::size_t i = 0; i < out.packets.size(); ++i) {
    if (out.packets[i].verdict != verdict) continue;
    texts[out.packets[i].remote.port].push_back(out.texts[i]);
  }
  return texts;
}

// Nothing to a destination was sent after something that has to wait.
bool waits_in_order(const Outgoing& out) {
  std::map<std::uint16_t, bool> waiting;
  for (const auto& packet : out.packets) {
    bool& waits = waiting[packet.remote.port];
    if (packet.verdict == TUNNEL_VERDICT_SENT && waits) return false;
    waits = waits || packet.verdict == TUNNEL_VERDICT_WAIT;
  }
  return true;
}

Outgoing random_batch() {
  Outgoing out;
  const std::size_t count = 1 + kernel.random() % TrainPlan::kPackets;
  std::size_t number = 0;
  while (number < count) {
    const auto port = static_cast<std::uint16_t>(1 + kernel.random() % 6);
    const std::size_t length = kernel.random() % 4 == 0 ? 8 + kernel.random() % 4 : 1452;
    for (std::size_t i = kernel.random() % 20; i > 0 && number < count; --i) {
      std::string text = std::to_string(number++);
      text.resize(length, '.');
      out.add(text, TUNNEL_VERDICT_SEND, test::address("192.0.2.1", port));
      if (kernel.random() % 2 == 0) out.packets.back().local = test::address("192.0.2.2", 0);
    }
  }
  return out;
}

// Reads the datagrams `from` to before `to`, which begin with their numbers.
void read_numbers(const test::Transport& transport, int from, int to) {
  test::Slab slab;
  while (from < to) {
    const std::int32_t count = test::read_some(transport, slab);
    REQUIRE(count > 0);
    for (std::int32_t i = 0; i < count; ++i) {
      const std::string text = slab.text(static_cast<std::size_t>(i));
      REQUIRE(text.substr(0, text.find('.')) == std::to_string(from++));
    }
  }
}

std::int32_t send(SendBatch& batch, Outgoing& out, int fd = -1) {
  for (auto& packet : out.packets) batch.add(packet);
  return batch.flush(fd);
}

}  // namespace

TEST_CASE("every datagram has one fate, whatever the kernel refuses", "[transport][send]") {
  for (unsigned round = 0; round < 4000; ++round) {
    kernel = {};
    kernel.random.seed(round);
    kernel.refuses_trains = {{1, EIO}, {2, EMSGSIZE}, {3, EINVAL}, {4, ENOMEM}};
    if (round % 2 == 1) kernel.refuses_always = {{2, ENETUNREACH}, {5, EPERM}};
    if (round % 3 == 1) kernel.refuses_sources = {{1, EINVAL}, {6, ENETUNREACH}};
    if (round % 5 == 1) kernel.passing_error = EINTR;
    if (round % 7 == 1) kernel.room = static_cast<long>(kernel.random() % 100);
    const auto refused = kernel.refuses_always;
    TrainLimits limits;
    SendBatch batch(limits, kPretended);
    for (int i = 0; i < 3; ++i) {
      Outgoing out = random_batch();
      kernel.sent.clear();
      const std::int32_t status = send(batch, out);
      CHECK(texts_with(out, TUNNEL_VERDICT_SENT) == kernel.sent);
      const auto waiting = texts_with(out, TUNNEL_VERDICT_WAIT);
      REQUIRE(waits_in_order(out));
      REQUIRE((status == TUNNEL_VERDICT_WAIT) == !waiting.empty());
      for (const auto& packet : out.packets) {
        const bool dropped = packet.verdict >= TUNNEL_DROP_MALFORMED;
        REQUIRE(packet.verdict != TUNNEL_VERDICT_SEND);
        REQUIRE((!dropped || refused.count(packet.remote.port) == 1));
      }
    }
  }
}

TEST_CASE("an endpoint that refuses trains is asked once", "[transport][send]") {
  for (const int error : {EIO, EINVAL, EMSGSIZE}) {
    kernel = {};
    kernel.refuses_trains = {{1, error}};
    TrainLimits limits;
    SendBatch batch(limits, kPretended);
    for (int i = 0; i < 5; ++i) {
      Outgoing out;
      const std::string text(1452, 'x');
      for (int n = 0; n < 100; ++n) {
        out.add(text, TUNNEL_VERDICT_SEND,
                test::address("192.0.2.1", static_cast<std::uint16_t>(1 + n % 2)));
        if (n % 2 == 0) out.packets.back().local = test::address("192.0.2.2", 0);
      }
      REQUIRE(send(batch, out) == TUNNEL_OK);
      CHECK(out.verdicts() == std::vector<std::int32_t>(100, TUNNEL_VERDICT_SENT));
      CHECK(out.packets[0].local.family == TUNNEL_FAMILY_IPV4);
    }
    CHECK(kernel.sent[1].size() == 250);
    CHECK(kernel.trains_refused == 2);  // 50 make two trains of one batch, both under way
    limits.forget();
    Outgoing again;
    for (int n = 0; n < 2; ++n) {
      again.add("short", TUNNEL_VERDICT_SEND, test::address("192.0.2.1", 1));
    }
    REQUIRE(send(batch, again) == TUNNEL_OK);
    CHECK(kernel.trains_refused == 3);
  }
}

TEST_CASE("a source that is no longer ours does not end trains", "[transport][send]") {
  kernel = {};
  kernel.refuses_sources = {{1, EINVAL}};
  TrainLimits limits;
  SendBatch batch(limits, kPretended);
  Outgoing out;
  for (int n = 0; n < 3; ++n) {
    out.add("equal", TUNNEL_VERDICT_SEND, test::address("192.0.2.1", 1));
    out.packets.back().local = test::address("192.0.2.2", 0);
  }
  REQUIRE(send(batch, out) == TUNNEL_OK);
  for (const auto& packet : out.packets) CHECK(packet.local.family == TUNNEL_FAMILY_NONE);
  CHECK(kernel.sent[1].size() == 3);
  CHECK(limits.longest(out.packets[0].remote) == TrainLimits::kNoLimit);
}

TEST_CASE("a closed socket drops what is left", "[transport][send]") {
  TrainLimits limits;
  SendBatch batch(limits);
  Outgoing out;
  const auto to = test::address("127.0.0.1", 9);
  for (int i = 0; i < 3; ++i) out.add("x", TUNNEL_VERDICT_SEND, to);
  out.add("longer", TUNNEL_VERDICT_SEND, to);
  CHECK(send(batch, out, -1) == TUNNEL_ERR_CLOSED);
  CHECK(out.verdicts() == std::vector<std::int32_t>(4, TUNNEL_DROP_IO));
}

TEST_CASE("a socket that may not make trains sends singly", "[transport][send]") {
  test::Transport there;
  REQUIRE(test::open_udp(there, test::udp_config()) == TUNNEL_OK);
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  REQUIRE(::setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &on, sizeof on) == 0);  // EINVAL for trains
  TrainLimits limits;
  SendBatch batch(limits);
  Outgoing out;
  const auto to = test::address("127.0.0.1", test::port_of(there));
  for (int i = 0; i < 20; ++i) out.add(std::to_string(10 + i), TUNNEL_VERDICT_SEND, to);
  CHECK(send(batch, out, fd) == TUNNEL_OK);
  ::close(fd);
  CHECK(limits.longest(to) == 0);
  read_numbers(there, 10, 30);
}

// The kernel makes no train of datagrams that must become fragments.
TEST_CASE("datagrams longer than the path pass in fragments, in order", "[transport][send]") {
  for (const char* remote : {"10.7.0.2", "fd07::2"}) {
    CAPTURE(remote);
    test::in_namespace([&] {
      Hosts hosts;
      run_command("ip link set dev near mtu 1280");
      test::settle(hosts.here);
      const auto to = hosts.far_address(remote);
      int number = 0, expected = 0;
      for (int batch = 0; batch < 3; ++batch) {
        Outgoing out;
        for (int i = 0; i < 47; ++i) {
          std::string text = std::to_string(number++);
          text.resize(i % 16 == 15 ? 80 : 1452, '.');
          out.add(text, TUNNEL_VERDICT_SEND, to);
        }
        REQUIRE(test::write(hosts.here, out) == TUNNEL_OK);
        REQUIRE(out.verdicts() == std::vector<std::int32_t>(47, TUNNEL_VERDICT_SENT));
        read_numbers(hosts.there, expected, number);
        expected = number;
      }
    });
  }
}

TEST_CASE("equal datagrams reach the kernel as trains", "[transport][send]") {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  REQUIRE(::setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on) == 0);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof name;
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
  REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length) == 0);
  for (const bool offload : {true, false}) {
    test::Transport here;
    auto config = test::udp_config();
    if (!offload) config.flags = TUNNEL_UDP_NO_OFFLOAD;
    REQUIRE(test::open_udp(here, config) == TUNNEL_OK);
    Outgoing out;
    const auto to = test::address("127.0.0.1", ntohs(name.sin_port));
    for (int i = 0; i < 47; ++i) out.add(std::string(1452, 'x'), TUNNEL_VERDICT_SEND, to);
    REQUIRE(test::write(here, out) == TUNNEL_OK);
    std::vector<ssize_t> lengths;
    std::vector<char> bytes(65'535);
    for (ssize_t got = 0; (got = ::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT)) > 0;) {
      lengths.push_back(got);
    }
    CHECK(lengths ==
          (offload ? std::vector<ssize_t>{24 * 1452, 23 * 1452} : std::vector<ssize_t>(47, 1452)));
  }
  ::close(fd);
}
