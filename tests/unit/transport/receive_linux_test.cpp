// Reading trains and single datagrams into slabs of any size: from a pretended socket against a
// slow reading of the rules, and from real ones.
#include "support/receiving.h"

#include <netinet/udp.h>
#include <unistd.h>

#include <random>

#include "support/hosts.h"

using test::Datagram;
using test::Message;
using test::Outgoing;
using test::Slab;
using test::Transport;
using tunnel::transport::ReceiveBatch;

namespace {

std::string text_of(std::size_t length, std::size_t seed) {
  std::string text(length, '\0');
  for (std::size_t i = 0; i < length; ++i) text[i] = static_cast<char>(seed * 31 + i * 7 + i / 251);
  return text;
}

Message random_message(std::mt19937& random, std::size_t number) {
  const std::size_t kind = random() % 8;
  Message message;
  message.port = static_cast<std::uint16_t>(1 + random() % 3);
  if (kind == 0) {
    message.error = ECONNREFUSED;
  } else if (kind < 4) {
    message.bytes = text_of(random() % 3000, number);
    if (kind == 1) message.segment = static_cast<int>(random() % 4000) - 100;
  } else {
    const int segments[] = {1452, 1452, 1452, 96, 1, 2048, 2049, 40'000};
    message.segment = segments[random() % 8];
    const std::size_t most = message.segment == 1 ? 300 : 65'535;
    message.bytes = text_of(1 + random() % most, number);
  }
  return message;
}

// Reads everything and compares it with the rules.
void check(std::vector<Message> messages, std::size_t slab_size, std::size_t packets,
           std::uint32_t mtu, bool trains) {
  Slab slab(slab_size, mtu, packets);
  std::vector<Datagram> expected, datagrams;
  const std::size_t room = tunnel::transport::ReadSpace(slab.slab).room();
  for (auto& message : messages) {
    if (!trains) message.segment = 0;
    test::cut_up(message, room, expected);
  }
  test::waiting_messages = {messages.begin(), messages.end()};
  ReceiveBatch batch(test::pretend_to_receive);
  batch.expect_trains(trains);
  for (std::size_t before = 1; datagrams.size() != before;) {
    before = datagrams.size();
    REQUIRE(test::read_once(batch, slab.slab, slab.packets, datagrams));
  }
  REQUIRE(datagrams == expected);
}

// A socket that sends trains as they are told, also hostile ones.
class Sender {
 public:
  explicit Sender(int domain) : fd_(::socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
  ~Sender() { ::close(fd_); }

  void send(const tunnel_address& to, const std::string& bytes, std::uint16_t segment) const {
    tunnel::transport::SocketAddress name;
    tunnel::transport::ControlBuffer control{};
    iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_name = &name;
    message.msg_namelen = tunnel::transport::to_socket_address(to, name);
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    if (segment != 0) tunnel::transport::write_segment(segment, control, message);
    REQUIRE(::sendmsg(fd_, &message, 0) == static_cast<ssize_t>(bytes.size()));
  }

 private:
  int fd_;
};

std::vector<std::string> read_all(const Transport& transport, Slab& slab, std::size_t count) {
  std::vector<std::string> texts;
  while (texts.size() < count) {
    const std::int32_t got = test::read_some(transport, slab);
    REQUIRE(got > 0);
    REQUIRE(test::lie_apart(slab.slab, std::span(slab.packets).first(static_cast<size_t>(got))));
    for (std::int32_t i = 0; i < got; ++i) texts.push_back(slab.text(static_cast<std::size_t>(i)));
  }
  CHECK(test::read(transport, slab) == 0);
  return texts;
}

}  // namespace

TEST_CASE("nothing that was received is lost or changes places", "[transport][receive]") {
  std::mt19937 random(20261121);
  const std::size_t slabs[] = {2080, 3 * 2080, 64 << 10, (64 << 10) + 100, 133'120, 256 << 10};
  for (int round = 0; round < 1500; ++round) {
    std::vector<Message> messages;
    const bool mixed = round % 3 != 0;
    for (std::size_t n = 1 + random() % 60; messages.size() < n;) {
      Message message = random_message(random, messages.size());
      if (mixed || message.segment == 0) messages.push_back(std::move(message));
    }
    const std::uint32_t mtus[] = {1420, 1420, 9000, 65'535};
    const std::size_t counts[] = {1, 7, 64, 128};
    CAPTURE(round);
    check(messages, slabs[random() % 6], counts[random() % 4], mtus[random() % 4], round % 7 != 0);
  }
}

TEST_CASE("the window finds trains after singles and singles after trains",
          "[transport][receive]") {
  std::vector<Message> messages;
  for (std::size_t i = 0; i < 200; ++i) messages.push_back({text_of(1452, i)});
  for (std::size_t i = 0; i < 40; ++i) messages.push_back({text_of(45 * 1452, i), 1452});
  for (std::size_t i = 0; i < 10; ++i) messages.push_back({text_of(96, i)});
  for (std::size_t i = 0; i < 3; ++i) messages.push_back({text_of(64 * 96, i), 96});
  for (const std::size_t slab : {std::size_t{2080}, std::size_t{133'120}, std::size_t{262'144}}) {
    check(messages, slab, 128, 1420, true);
    check(messages, slab, 64, 1420, true);
  }
}

TEST_CASE("a train stands in the slab as it came", "[transport][receive]") {
  Slab slab;
  test::waiting_messages = {{text_of(3 * 1452 + 80, 1), 1452}};
  ReceiveBatch batch(test::pretend_to_receive);
  batch.expect_trains(true);
  tunnel::transport::ReadSpace space(slab.slab);
  REQUIRE(batch.receive(-1, 7, space, slab.packets) == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(slab.packets[i].data == slab.bytes.data() + 16 + i * 1452);
    CHECK(slab.packets[i].length == (i < 3 ? 1452 : 80));
    CHECK(slab.packets[i].room == (i < 3 ? 1452 : 80 + 16));
    CHECK(slab.packets[i].headroom == (i == 0 ? 16 : 0));
    CHECK(slab.packets[i].local.port == 7);
  }
}

TEST_CASE("trains arrive whole on real sockets, both families", "[transport][receive]") {
  for (const char* host : {"127.0.0.1", "::1"}) {
    const std::string address = host;
    Sender sender(address == "::1" ? AF_INET6 : AF_INET);
    for (const bool offload : {true, false}) {
      Transport there;
      auto config = test::udp_config();
      if (!offload) config.flags = TUNNEL_UDP_NO_OFFLOAD;
      REQUIRE(test::open_udp(there, config) == TUNNEL_OK);
      const auto to = test::address(host, test::port_of(there));
      const std::string train = text_of(44 * 1452 + 80, 5);
      sender.send(to, train, 1452);
      sender.send(to, "single", 0);
      sender.send(to, std::string(60, 'x'), 1);
      Slab slab;
      const auto texts = read_all(there, slab, 45 + 1 + 60);
      std::string joined;
      for (std::size_t i = 0; i < 45; ++i) joined += texts[i];
      CHECK(joined == train);
      CHECK(texts[45] == "single");
      CHECK(texts[46] == "x");
    }
  }
}

TEST_CASE("what an own loop has no room for waits", "[transport][receive]") {
  test::UdpPair udp;
  const auto to = test::address("127.0.0.1", test::port_of(udp.b));
  Outgoing out;
  for (int i = 0; i < 100; ++i) out.add(std::to_string(1000 + i), TUNNEL_VERDICT_SEND, to);
  REQUIRE(test::write(udp.a, out) == TUNNEL_OK);
  Slab slab(2080, 1420, 1);
  for (int i = 0; i < 100; ++i) {
    REQUIRE(test::ready(udp.b));  // also when the socket itself has nothing left
    REQUIRE(test::read_some(udp.b, slab) == 1);
    REQUIRE(slab.text(0) == std::to_string(1000 + i));
    CHECK(test::host_text(slab.packets[0].local) == "127.0.0.1");
    CHECK(slab.packets[0].headroom == 16);
  }
  CHECK(test::read(udp.b, slab) == 0);
}

TEST_CASE("trains can be switched off and on while the transport runs", "[transport][receive]") {
  test::UdpPair udp;
  Slab slab;
  for (const std::uint32_t on : {0u, 0u, 1u, 0u, 1u, 1u}) {
    for (const auto* end : {&udp.a, &udp.b}) {
      REQUIRE(end->ops->offload(end->self, on) == TUNNEL_OK);
      REQUIRE(test::read(*end, slab) == 0);
    }
    if (on == 0) REQUIRE(udp.b.ops->rebind(udp.b.self) == TUNNEL_OK);
    for (const char* host : {"127.0.0.1", "::1"}) {
      Outgoing out;
      const auto to = test::address(host, test::port_of(udp.b));
      for (std::size_t i = 0; i < 120; ++i) out.add(text_of(1452, i), TUNNEL_VERDICT_SEND, to);
      REQUIRE(test::write(udp.a, out) == TUNNEL_OK);
      CHECK(read_all(udp.b, slab, 120) == out.texts);
    }
  }
}

TEST_CASE("a flood in one family does not hide the other", "[transport][receive]") {
  test::UdpPair udp;
  Slab slab(256 << 10, 1420, 16);
  const std::uint16_t port = test::port_of(udp.b);
  const auto flood = [&] {
    Outgoing out;
    for (int i = 0; i < 16; ++i) out.add("flood", TUNNEL_VERDICT_SEND, test::address("::1", port));
    REQUIRE(test::write(udp.a, out) == TUNNEL_OK);
  };
  for (int i = 0; i < 20; ++i) {
    flood();
    REQUIRE(test::read_some(udp.b, slab) > 0);
  }
  test::send_one(udp.a, "heard", test::address("127.0.0.1", port));
  bool heard = false;
  for (int i = 0; i < 20 && !heard; ++i) {
    flood();
    const std::int32_t count = test::read_some(udp.b, slab);
    for (std::int32_t n = 0; n < count; ++n) {
      heard = heard || slab.text(static_cast<std::size_t>(n)) == "heard";
    }
  }
  CHECK(heard);
}
