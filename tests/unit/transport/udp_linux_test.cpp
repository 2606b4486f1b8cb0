// UDP on the loopback interface.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/udp.h"

using test::Outgoing;
using test::Slab;
using test::Transport;
using test::UdpPair;

TEST_CASE("both families use one port", "[transport][udp]") {
  UdpPair udp;
  Slab slab;
  for (const char* host : {"127.0.0.1", "::1"}) {
    CAPTURE(host);
    const auto sent = test::send_one(udp.a, "hello", test::address(host, test::port_of(udp.b)));
    REQUIRE(sent.verdict == TUNNEL_VERDICT_SENT);
    REQUIRE(test::read_some(udp.b, slab) == 1);
    CHECK(slab.text(0) == "hello");
    CHECK(test::host_text(slab.packets[0].remote) == host);
    CHECK(slab.packets[0].remote.port == test::port_of(udp.a));
    CHECK(slab.packets[0].verdict == TUNNEL_VERDICT_NONE);
  }
}

TEST_CASE("a reply leaves from the address that was asked", "[transport][udp]") {
  UdpPair udp;
  Slab slab;
  test::send_one(udp.a, "question", test::address("127.0.0.77", test::port_of(udp.b)));
  REQUIRE(test::read_some(udp.b, slab) == 1);
  const tunnel_packet question = slab.packets[0];
  CHECK(test::host_text(question.local) == "127.0.0.77");
  CHECK(question.local.scope == 1);
  const auto reply = test::send_one(udp.b, "answer", question.remote, question.local);
  CHECK(reply.local.family == TUNNEL_FAMILY_IPV4);
  REQUIRE(test::read_some(udp.a, slab) == 1);
  CHECK(test::host_text(slab.packets[0].remote) == "127.0.0.77");
}

TEST_CASE("a source address that is not ours is dropped from the packet", "[transport][udp]") {
  UdpPair udp;
  Slab slab;
  const std::uint16_t port = test::port_of(udp.b);
  const auto v4 = test::send_one(udp.a, "4", test::address("127.0.0.1", port),
                                 test::address("192.0.2.1", 0, 1));
  CHECK(v4.verdict == TUNNEL_VERDICT_SENT);
  CHECK(v4.local.family == TUNNEL_FAMILY_NONE);
  REQUIRE(test::read_some(udp.b, slab) == 1);
  const auto v6 =
      test::send_one(udp.a, "6", test::address("::1", port), test::address("2001:db8::1", 0, 1));
  CHECK(v6.verdict == TUNNEL_VERDICT_SENT);
  CHECK(v6.local.family == TUNNEL_FAMILY_NONE);
  REQUIRE(test::read_some(udp.b, slab) == 1);
}

TEST_CASE("more datagrams than one system call takes keep their order", "[transport][udp]") {
  UdpPair udp;
  Slab slab(128 * 2112);
  Outgoing out;
  const auto to = test::address("127.0.0.1", test::port_of(udp.b));
  for (int i = 0; i < 150; ++i) out.add(std::to_string(i), TUNNEL_VERDICT_SEND, to);
  REQUIRE(test::write(udp.a, out) == TUNNEL_OK);
  CHECK(out.verdicts() == std::vector<std::int32_t>(150, TUNNEL_VERDICT_SENT));
  int expected = 0;
  while (expected < 150) {
    const std::int32_t count = test::read_some(udp.b, slab);
    REQUIRE(count > 0);
    for (std::int32_t i = 0; i < count; ++i) {
      REQUIRE(slab.text(static_cast<std::size_t>(i)) == std::to_string(expected++));
    }
  }
}

TEST_CASE("datagrams lie in equal slots with their rooms", "[transport][udp]") {
  UdpPair udp;
  Slab slab(3 * (16 + 2048 + 16));
  Outgoing out;
  const auto to = test::address("127.0.0.1", test::port_of(udp.b));
  for (int i = 0; i < 4; ++i) out.add(std::string(2048, 'x'), TUNNEL_VERDICT_SEND, to);
  REQUIRE(test::write(udp.a, out) == TUNNEL_OK);
  REQUIRE(test::read_some(udp.b, slab) == 3);
  CHECK(slab.packets[0].data == slab.bytes.data() + 16);
  CHECK(slab.packets[1].data - slab.packets[0].data == 16 + 2048 + 16);
  CHECK(slab.packets[2].length == 2048);
  CHECK(slab.packets[2].room == 2048 + 16);
  CHECK(slab.packets[2].headroom == 16);
  CHECK(slab.packets[2].flags == 0);
  REQUIRE(test::read_some(udp.b, slab) == 1);
}

TEST_CASE("a datagram longer than its slot is marked as cut", "[transport][udp]") {
  UdpPair udp;
  Slab slab;
  const auto to = test::address("127.0.0.1", test::port_of(udp.b));
  test::send_one(udp.a, std::string(2049, 'x'), to);
  REQUIRE(test::read_some(udp.b, slab) == 1);
  CHECK(slab.packets[0].length == 2048);
  CHECK(slab.packets[0].flags == TUNNEL_PACKET_TRUNCATED);
}

TEST_CASE("a refused datagram does not cost the rest of the batch", "[transport][udp]") {
  UdpPair udp;
  Slab slab;
  Outgoing out;
  const auto to = test::address("127.0.0.1", test::port_of(udp.b));
  const auto to6 = test::address("::1", test::port_of(udp.b));
  out.add("first", TUNNEL_VERDICT_SEND, to);
  out.add(std::string(65'508, 'x'), TUNNEL_VERDICT_SEND, to);
  out.add("second", TUNNEL_VERDICT_REPLY, to);
  out.add("nowhere", TUNNEL_VERDICT_SEND);
  out.add("port zero", TUNNEL_VERDICT_SEND, test::address("127.0.0.1", 0));
  out.add("not ours to send", TUNNEL_VERDICT_DELIVER, to);
  out.add("staged", TUNNEL_VERDICT_WAIT, to);
  out.add("third", TUNNEL_VERDICT_SEND, to6);
  REQUIRE(test::write(udp.a, out) == TUNNEL_OK);
  CHECK(out.verdicts() == std::vector<std::int32_t>{TUNNEL_VERDICT_SENT, TUNNEL_DROP_TOO_BIG,
                                                    TUNNEL_VERDICT_SENT, TUNNEL_DROP_UNREACHABLE,
                                                    TUNNEL_DROP_IO, TUNNEL_VERDICT_DELIVER,
                                                    TUNNEL_VERDICT_WAIT, TUNNEL_VERDICT_SENT});
  std::int32_t count = 0;
  while (count < 3) count += test::read_some(udp.b, slab);
  CHECK(count == 3);
  CHECK(test::read(udp.b, slab) == 0);
}

TEST_CASE("a port that nobody listens on stops neither reading nor writing", "[transport][udp]") {
  UdpPair udp;
  Slab slab;
  const std::uint16_t closed = test::port_of(udp.b);
  udp.b.close();
  for (int i = 0; i < 10; ++i) {
    for (const char* host : {"127.0.0.1", "::1"}) {
      CHECK(test::send_one(udp.a, "x", test::address(host, closed)).verdict == TUNNEL_VERDICT_SENT);
    }
    CHECK(test::read(udp.a, slab) == 0);
  }
}

TEST_CASE("a family that was not asked for is unreachable", "[transport][udp]") {
  Transport v4, v6;
  REQUIRE(test::open_udp(v4, test::udp_config(0, TUNNEL_UDP_IPV4)) == TUNNEL_OK);
  REQUIRE(test::open_udp(v6, test::udp_config(0, TUNNEL_UDP_IPV6)) == TUNNEL_OK);
  CHECK(test::send_one(v4, "x", test::address("::1", 9)).verdict == TUNNEL_DROP_UNREACHABLE);
  CHECK(test::send_one(v6, "x", test::address("127.0.0.1", 9)).verdict == TUNNEL_DROP_UNREACHABLE);
  tunnel_handle handles[4];
  CHECK(v4.ops->wait(v4.self, handles, 4) == 2);
  CHECK(v4.ops->wait(v4.self, handles, 1) == 1);
}

TEST_CASE("a port that is taken in one family is in use", "[transport][udp]") {
  Transport v6, both;
  REQUIRE(test::open_udp(v6, test::udp_config(0, TUNNEL_UDP_IPV6)) == TUNNEL_OK);
  CHECK(test::open_udp(both, test::udp_config(test::port_of(v6))) == TUNNEL_ERR_IN_USE);
}

TEST_CASE("a transport listens on one address when told so", "[transport][udp]") {
  Transport a, b;
  auto config = test::udp_config();
  config.bind = test::address("127.0.0.5", 0);
  REQUIRE(test::open_udp(b, config) == TUNNEL_OK);
  REQUIRE(test::open_udp(a, test::udp_config()) == TUNNEL_OK);
  Slab slab;
  const std::uint16_t port = test::port_of(b);
  test::send_one(a, "missed", test::address("127.0.0.1", port));
  test::send_one(a, "heard", test::address("127.0.0.5", port));
  REQUIRE(test::read_some(b, slab) == 1);
  CHECK(slab.text(0) == "heard");
  config.bind = test::address("192.0.2.1", 0);
  Transport nowhere;
  CHECK(test::open_udp(nowhere, config) == TUNNEL_ERR_UNAVAILABLE);
}

TEST_CASE("a rebind keeps the port", "[transport][udp]") {
  UdpPair udp;
  Slab slab;
  const std::uint16_t port = test::port_of(udp.b);
  for (int i = 0; i < 3; ++i) REQUIRE(udp.b.ops->rebind(udp.b.self) == TUNNEL_OK);
  CHECK(test::port_of(udp.b) == port);
  for (const char* host : {"127.0.0.1", "::1"}) {
    test::send_one(udp.a, "still there", test::address(host, port));
    REQUIRE(test::read_some(udp.b, slab) == 1);
    CHECK(slab.text(0) == "still there");
  }
  Transport other;
  CHECK(test::open_udp(other, test::udp_config(port)) == TUNNEL_ERR_IN_USE);
}

TEST_CASE("after a rebind nobody can share the port", "[transport][udp]") {
  Transport udp;
  REQUIRE(test::open_udp(udp, test::udp_config()) == TUNNEL_OK);
  REQUIRE(udp.ops->rebind(udp.self) == TUNNEL_OK);
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  REQUIRE(::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(test::port_of(udp));
  CHECK(::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0);
  ::close(fd);
}

TEST_CASE("moving to another port works, to a taken one it changes nothing", "[transport][udp]") {
  UdpPair udp;
  Slab slab;
  const std::uint16_t before = test::port_of(udp.b);
  CHECK(udp.b.ops->set_port(udp.b.self, test::port_of(udp.a)) == TUNNEL_ERR_IN_USE);
  CHECK(test::port_of(udp.b) == before);
  CHECK(udp.b.ops->set_port(udp.b.self, before) == TUNNEL_OK);
  test::send_one(udp.a, "old port", test::address("127.0.0.1", before));
  REQUIRE(test::read_some(udp.b, slab) == 1);
  REQUIRE(udp.b.ops->set_port(udp.b.self, 0) == TUNNEL_OK);
  CHECK(test::port_of(udp.b) != before);
  test::send_one(udp.a, "new port", test::address("::1", test::port_of(udp.b)));
  REQUIRE(test::read_some(udp.b, slab) == 1);
  CHECK(slab.text(0) == "new port");
}

TEST_CASE("small socket buffers are not an error, nor are too large ones", "[transport][udp]") {
  for (const std::uint32_t bytes : {1u, 1u << 20, UINT32_MAX}) {
    auto config = test::udp_config();
    config.receive_buffer = bytes;
    config.send_buffer = bytes;
    Transport udp;
    CHECK(test::open_udp(udp, config) == TUNNEL_OK);
  }
}

TEST_CASE("a slab that holds no datagram is refused", "[transport][udp]") {
  UdpPair udp;
  Slab slab(32);
  CHECK(test::read(udp.a, slab) == TUNNEL_ERR_ARGUMENT);
}

TEST_CASE("wishes that UDP does not know are refused", "[transport][udp]") {
  Transport udp;
  auto config = test::udp_config();
  config.flags = 0x80;
  CHECK(test::open_udp(udp, config) == TUNNEL_ERR_ARGUMENT);
  CHECK(test::open_udp(udp, test::udp_config(0, 4)) == TUNNEL_ERR_ARGUMENT);
  config = test::udp_config();
  config.bind.family = TUNNEL_FAMILY_LINK;
  CHECK(test::open_udp(udp, config) == TUNNEL_ERR_ARGUMENT);
  CHECK(tunnel_udp_open(nullptr, &udp) == TUNNEL_ERR_ARGUMENT);
  CHECK(tunnel_udp_open(&config, nullptr) == TUNNEL_ERR_ARGUMENT);
}
