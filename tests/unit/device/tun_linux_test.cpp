// These tests make TUN interfaces, each in a network namespace of its own.
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "unit/device/tun.h"

using test::bring_up;
using test::foreign_tun;
using test::need_tun;
using test::open_tun;
using test::Outgoing;
using test::Slab;
using test::take_over;
using Device = test::TunDevice;

namespace {

// An IPv4 packet from the far side to our address.
std::string ipv4_packet(std::size_t size) {
  std::string packet(size, 'p');
  const unsigned char header[20] = {0x45,
                                    0,
                                    static_cast<unsigned char>(size >> 8 & 0xff),
                                    static_cast<unsigned char>(size & 0xff),
                                    0,
                                    0,
                                    0,
                                    0,
                                    64,
                                    17,
                                    0,
                                    0,
                                    10,
                                    9,
                                    0,
                                    2,
                                    10,
                                    9,
                                    0,
                                    1};
  std::memcpy(packet.data(), header, sizeof header);
  return packet;
}

// Sends a datagram into the interface from the local IP stack, so that it can be read.
void send_inside(std::size_t payload) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = 9;
  to.sin_addr.s_addr = ::htonl(0x0a090002);
  const std::string bytes(payload, 'b');
  const auto sent = ::sendto(fd, bytes.data(), bytes.size(), 0,
                             reinterpret_cast<const sockaddr*>(&to), sizeof to);
  ::close(fd);
  REQUIRE(sent == static_cast<ssize_t>(payload));
}

}  // namespace

TEST_CASE("a TUN is made with the name and MTU asked for", "[device][tun]") {
  test::in_namespace([] {
    Device device;
    need_tun(device, "lt-test", 1380);
    char name[16];
    REQUIRE(tunnel_tun_name(&device, name) == TUNNEL_OK);
    REQUIRE(std::string(name) == "lt-test");
    REQUIRE(device.ops->mtu(device.self) == 1380);
    REQUIRE((device.ops->flags & TUNNEL_DEVICE_LOCAL) != 0);
    test::run_command("ip link set lt-test mtu 1300");
    REQUIRE(device.ops->mtu(device.self) == 1300);
    test::run_command("ip link set lt-test name renamed");
    REQUIRE(device.ops->mtu(device.self) == 1300);
  });
}

TEST_CASE("a TUN lets as many packets wait as it is told", "[device][tun]") {
  test::in_namespace([] {
    Device usual;
    need_tun(usual, "lt-usual");
    tunnel_tun_config config = TUNNEL_TUN_CONFIG_INIT;
    config.name = "lt-test";
    config.tx_queue = 3;
    Device device;
    REQUIRE(tunnel_tun_open(&config, &device) == TUNNEL_OK);
    test::run_command("ip link show lt-test | grep -q 'qlen 3$'");
    Device refused;
    config.name = "lt-other";
    config.tx_queue = UINT32_MAX;
    REQUIRE(tunnel_tun_open(&config, &refused) == TUNNEL_ERR_ARGUMENT);
    config.tx_queue = 0;
    config.reserved = 1;
    REQUIRE(tunnel_tun_open(&config, &refused) == TUNNEL_ERR_ARGUMENT);
  });
}

TEST_CASE("the kernel chooses a name where none is given", "[device][tun]") {
  test::in_namespace([] {
    Device first, second;
    need_tun(first, nullptr);
    need_tun(second, "lt%d");
    char name[16];
    REQUIRE(tunnel_tun_name(&first, name) == TUNNEL_OK);
    REQUIRE(std::string(name) == "tun0");
    REQUIRE(tunnel_tun_name(&second, name) == TUNNEL_OK);
    REQUIRE(std::string(name) == "lt0");
  });
}

TEST_CASE("a bad name is refused before the system is asked", "[device][tun]") {
  for (const char* name : {"", ".", "..", "a/b", "a:b", "a b", "sixteen-letters-", "x%s", "%d%d"}) {
    Device device;
    CAPTURE(name);
    CHECK(open_tun(device, name) == TUNNEL_ERR_ARGUMENT);
  }
}

TEST_CASE("a name that is taken is in use", "[device][tun]") {
  test::in_namespace([] {
    Device first, second;
    need_tun(first, "lt-test");
    REQUIRE(open_tun(second, "lt-test") == TUNNEL_ERR_IN_USE);
    REQUIRE(open_tun(second, "lo") == TUNNEL_ERR_IN_USE);
  });
}

TEST_CASE("an MTU that no interface has is an argument error", "[device][tun]") {
  test::in_namespace([] {
    Device device;
    need_tun(device, "lt-test");
    Device refused;
    REQUIRE(open_tun(refused, "lt-small", 10) == TUNNEL_ERR_ARGUMENT);
    REQUIRE(open_tun(refused, "lt-large", 70'000) == TUNNEL_ERR_ARGUMENT);
    REQUIRE(open_tun(refused, "lt-small") == TUNNEL_OK);
  });
}

TEST_CASE("packets of a batch are read one behind another", "[device][tun]") {
  test::in_namespace([] {
    Device device;
    need_tun(device, "lt-test", 1420);
    bring_up("lt-test");
    Slab slab;
    REQUIRE(test::read(device, slab) == 0);
    REQUIRE_FALSE(test::ready(device));
    send_inside(100);
    send_inside(1392);
    send_inside(1);
    REQUIRE(test::ready(device));
    REQUIRE(test::read(device, slab) == 3);
    REQUIRE(slab.packets[0].length == 128);
    REQUIRE(slab.packets[1].length == 1420);
    REQUIRE(slab.packets[2].length == 29);
    REQUIRE(slab.packets[0].data + 128 + 32 == slab.packets[1].data);
    REQUIRE(slab.packets[1].data + 1420 + 32 == slab.packets[2].data);
    REQUIRE(slab.packets[2].room == 32 + 16);
    REQUIRE(slab.packets[0].data[0] == 0x45);
    REQUIRE(test::read(device, slab) == 0);
  });
}

TEST_CASE("a small slab leaves packets in the interface", "[device][tun]") {
  test::in_namespace([] {
    Device device;
    need_tun(device, "lt-test", 1420);
    bring_up("lt-test");
    Slab slab(2 * 1452);
    for (int i = 0; i < 3; ++i) send_inside(1392);
    for (int i = 0; i < 3; ++i) {
      REQUIRE(test::read(device, slab) == 1);
      REQUIRE(slab.packets[0].length == 1420);
      REQUIRE(slab.packets[0].flags == 0);
    }
    REQUIRE(test::read(device, slab) == 0);
  });
}

TEST_CASE("a packet that does not fit is marked as cut", "[device][tun]") {
  test::in_namespace([] {
    Device device;
    need_tun(device, "lt-test", 1420);
    bring_up("lt-test");
    Slab slab(500);
    send_inside(1000);
    REQUIRE(test::read(device, slab) == 1);
    REQUIRE(slab.packets[0].flags == TUNNEL_PACKET_TRUNCATED);
  });
}

TEST_CASE("a bad packet does not cost the rest of the batch", "[device][tun]") {
  test::in_namespace([] {
    Device device;
    need_tun(device, "lt-test");
    bring_up("lt-test");
    Outgoing out;
    out.add(ipv4_packet(60), TUNNEL_VERDICT_DELIVER);
    out.add("", TUNNEL_VERDICT_DELIVER);
    out.add("\x10not an IP packet", TUNNEL_VERDICT_DELIVER);
    out.add(ipv4_packet(60), TUNNEL_VERDICT_SEND);
    out.add(ipv4_packet(60), TUNNEL_VERDICT_DELIVER);
    REQUIRE(test::write(device, out) == TUNNEL_OK);
    REQUIRE(out.packets[0].verdict == TUNNEL_VERDICT_SENT);
    REQUIRE(out.packets[1].verdict == TUNNEL_DROP_IO);
    REQUIRE(out.packets[2].verdict == TUNNEL_DROP_IO);
    REQUIRE(out.packets[3].verdict == TUNNEL_VERDICT_SEND);
    REQUIRE(out.packets[4].verdict == TUNNEL_VERDICT_SENT);
  });
}

TEST_CASE("a TUN that is down drops, and works again when it is up", "[device][tun]") {
  test::in_namespace([] {
    Device device;
    need_tun(device, "lt-test");
    bring_up("lt-test");
    test::run_command("ip link set lt-test down");
    Outgoing out;
    out.add(ipv4_packet(60), TUNNEL_VERDICT_DELIVER);
    Slab slab;
    REQUIRE(test::write(device, out) == TUNNEL_OK);
    REQUIRE(out.packets[0].verdict == TUNNEL_DROP_IO);
    REQUIRE(test::read(device, slab) == 0);
    test::run_command("ip link set lt-test up");
    out.packets[0].verdict = TUNNEL_VERDICT_DELIVER;
    REQUIRE(test::write(device, out) == TUNNEL_OK);
    REQUIRE(out.packets[0].verdict == TUNNEL_VERDICT_SENT);
  });
}

TEST_CASE("a TUN deleted under us wakes the waiter and is closed", "[device][tun]") {
  test::in_namespace([] {
    Device device;
    need_tun(device, "lt-test");
    bring_up("lt-test");
    REQUIRE_FALSE(test::ready(device));
    test::run_command("ip link delete lt-test");
    REQUIRE(test::ready(device, test::kPatience_ms));
    Slab slab;
    REQUIRE(test::read(device, slab) == TUNNEL_ERR_CLOSED);
    Outgoing out;
    out.add(ipv4_packet(60), TUNNEL_VERDICT_DELIVER);
    REQUIRE(test::write(device, out) == TUNNEL_ERR_CLOSED);
    REQUIRE(out.packets[0].verdict == TUNNEL_DROP_IO);
    REQUIRE(device.ops->mtu(device.self) == TUNNEL_ERR_CLOSED);
    char name[16];
    REQUIRE(tunnel_tun_name(&device, name) == TUNNEL_ERR_CLOSED);
  });
}

TEST_CASE("a TUN opened by somebody else is taken over", "[device][tun]") {
  test::in_namespace([] {
    const int fd = foreign_tun(IFF_TUN | IFF_NO_PI);
    Device device;
    REQUIRE(take_over(device, fd) == TUNNEL_OK);
    char name[16];
    REQUIRE(tunnel_tun_name(&device, name) == TUNNEL_OK);
    REQUIRE(std::string(name) == "lt-given");
    REQUIRE((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    REQUIRE((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    device.close();
    REQUIRE(::fcntl(fd, F_GETFD) < 0);
  });
}

TEST_CASE("a descriptor of another kind is refused and closed", "[device][tun]") {
  test::in_namespace([] {
    Device device;
    const int other = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    REQUIRE(take_over(device, other) == TUNNEL_ERR_ARGUMENT);
    REQUIRE(::fcntl(other, F_GETFD) < 0);
    const int ethernet = foreign_tun(IFF_TAP | IFF_NO_PI);
    REQUIRE(take_over(device, ethernet) == TUNNEL_ERR_ARGUMENT);
    REQUIRE(take_over(device, -1) == TUNNEL_ERR_ARGUMENT);
  });
}

TEST_CASE("without privileges a TUN is refused", "[device][tun]") {
  test::in_namespace([] {
    Device device;
    test::drop_privileges();
    REQUIRE(open_tun(device, "lt-test") == TUNNEL_ERR_PERMISSION);
  });
}

TEST_CASE("without free descriptors a device says RESOURCES", "[device][tun]") {
  test::in_namespace([] {
    {
      Device probe;
      need_tun(probe, "lt-test");
    }
    const rlimit none{3, 3};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    Device device;
    REQUIRE(open_tun(device, "lt-test") == TUNNEL_ERR_RESOURCES);
    tunnel_device ends[2];
    REQUIRE(tunnel_device_pair(4, 1420, ends) == TUNNEL_ERR_RESOURCES);
  });
}

TEST_CASE("the name of a device that is no TUN is an argument error", "[device][tun]") {
  tunnel_device ends[2];
  REQUIRE(tunnel_device_pair(4, 1420, ends) == TUNNEL_OK);
  Device a(ends[0]), b(ends[1]);
  char name[16];
  CHECK(tunnel_tun_name(&a, name) == TUNNEL_ERR_ARGUMENT);
}

TEST_CASE("a config of an unknown future is refused when it wishes something", "[device][tun]") {
  struct {
    tunnel_tun_config known;
    std::uint64_t wish;
  } config{};
  config.known.size = sizeof config;
  config.known.name = "a/b";
  Device device;
  CHECK(tunnel_tun_open(&config.known, &device) == TUNNEL_ERR_ARGUMENT);
  config.wish = 1;
  CHECK(tunnel_tun_open(&config.known, &device) == TUNNEL_ERR_VERSION);
}
