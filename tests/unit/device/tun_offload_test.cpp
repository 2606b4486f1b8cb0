// What the kernel hands over and takes as one superpacket.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/udp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "unit/device/mirror.h"

using test::address;
using test::Address;
using test::bring_up;
using test::bring_up_both;
using test::Connection;
using test::counts;
using test::need_tun;
using test::reflect;
using test::Slab;
using test::transfers;
using Device = test::TunDevice;

namespace {

// From now on a system call fails with `error` when its third argument is `value`, or more.
void refuse(unsigned call, std::uint16_t comparison, unsigned value, unsigned error) {
  const sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args) + 2 * 8),
      BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | comparison | BPF_K), value, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{std::size(rules), const_cast<sock_filter*>(rules)};
  REQUIRE(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) throw test::Skip{"no seccomp"};
}

void refuse_superpackets(unsigned error) {
  refuse(SYS_writev, BPF_JGE, 3, error);
}

// As a kernel before 6.2 does.
void refuse_udp_offload() {
  refuse(SYS_ioctl, BPF_JEQ, 0x67, EINVAL);
}

// Datagrams of one flow, as a peer sends them to us.
struct Datagrams {
  explicit Datagrams(std::size_t count) {
    test::Shape shape;
    shape.tcp = false;
    shape.payload = test::Random(10).text(count * 100);
    for (const auto& part : test::cut(shape, 100)) {
      payloads.push_back(part.payload);
      packets.push_back(test::packet_of(part));
    }
  }
  // The socket that they are for.
  static int receiver(const std::string& name) {
    test::run_command("ip address add 10.0.1.1/32 dev " + name);
    test::run_command("ip route add 10.0.0.0/24 dev " + name);
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_port = ::htons(80);
    REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
    return fd;
  }
  static std::vector<std::string> received(int fd) {
    std::vector<std::string> out;
    char bytes[2000];
    for (ssize_t got = 0; (got = ::recv(fd, bytes, sizeof bytes, 0)) >= 0;) {
      out.emplace_back(bytes, static_cast<std::size_t>(got));
    }
    return out;
  }

  std::vector<std::string> payloads;
  std::vector<std::string> packets;
};

}  // namespace

TEST_CASE("TCP goes in superpackets both ways and arrives as it was", "[device][tun]") {
  for (const bool ipv6 : {false, true}) {
    test::in_namespace([ipv6] {
      Device device;
      need_tun(device, "lt-test", 1420);
      bring_up_both("lt-test");
      Slab slab;
      REQUIRE(transfers(device, slab, ipv6));
      REQUIRE(counts(device).superpackets_read > 10);
      REQUIRE(counts(device).segments_read > 10 * counts(device).superpackets_read);
      REQUIRE(counts(device).superpackets_written > 10);
      REQUIRE(counts(device).segments_written > 10 * counts(device).superpackets_written);
      REQUIRE(counts(device).malformed == 0);
      REQUIRE(counts(device).refused == 0);
    });
  }
}

TEST_CASE("with room for one packet nothing of a superpacket is lost", "[device][tun]") {
  test::in_namespace([] {
    Device device;
    need_tun(device, "lt-test", 1420);
    bring_up("lt-test");
    for (const std::size_t packets : {1u, 5u, 47u}) {
      Slab slab(packets * 1500, 1420, packets);
      REQUIRE(transfers(device, slab, false, 1 << 20));
    }
    REQUIRE(counts(device).superpackets_read > 10);
  });
}

TEST_CASE("offloads that are switched off leave single packets", "[device][tun]") {
  test::in_namespace([] {
    Device device;
    need_tun(device, "lt-test", 1420, TUNNEL_TUN_NO_OFFLOAD);
    bring_up("lt-test");
    Slab slab;
    REQUIRE(transfers(device, slab, false, 1 << 20));
    REQUIRE(counts(device).superpackets_read == 0);
    REQUIRE(counts(device).superpackets_written == 0);
    REQUIRE(device.ops->offload(device.self, 1) == TUNNEL_OK);
    REQUIRE(transfers(device, slab));
    REQUIRE(counts(device).superpackets_read > 10);
    REQUIRE(counts(device).superpackets_written > 10);
    REQUIRE(device.ops->offload(device.self, 0) == TUNNEL_OK);
    const auto before = counts(device);
    REQUIRE(transfers(device, slab, false, 1 << 20));
    REQUIRE(counts(device).superpackets_read == before.superpackets_read);
    REQUIRE(counts(device).superpackets_written == before.superpackets_written);
  });
}

TEST_CASE("datagrams of one send are cut, and arrive one by one in order", "[device][tun]") {
  for (const bool ipv6 : {false, true}) {
    test::in_namespace([ipv6] {
      Device device;
      need_tun(device, "lt-test", 1420);
      bring_up_both("lt-test");
      const int family = ipv6 ? AF_INET6 : AF_INET;
      const int sender = ::socket(family, SOCK_DGRAM, 0);
      const int receiver = ::socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
      const Address own = address(ipv6, 1), neighbour = address(ipv6, 2);
      REQUIRE(::bind(receiver, own.get(), own.size) == 0);
      const int size = 1200;
      REQUIRE(::setsockopt(sender, SOL_UDP, 103, &size, sizeof size) == 0);  // UDP_SEGMENT
      const std::string bytes = test::Random(11).text(30 * 1200 + 700);
      Slab slab;
      while (test::ready(device)) reflect(device, slab);
      const auto before = counts(device);
      REQUIRE(::sendto(sender, bytes.data(), bytes.size(), 0, neighbour.get(), neighbour.size) > 0);
      std::vector<std::string> received;
      while (received.size() < 31) {
        Connection::step(device, slab);
        for (auto& each : Datagrams::received(receiver)) received.push_back(std::move(each));
      }
      REQUIRE(received.size() == 31);
      for (std::size_t i = 0; i < 31; ++i) REQUIRE(received[i] == bytes.substr(i * 1200, 1200));
      if (counts(device).superpackets_read == before.superpackets_read) {
        throw test::Skip{"no UDP segmentation in this kernel"};
      }
      REQUIRE(counts(device).segments_read == before.segments_read + 31);
      REQUIRE(counts(device).segments_written == before.segments_written + 31);
    });
  }
}

TEST_CASE("a packet whose checksum is wrong harms no other", "[device][tun]") {
  test::in_namespace([] {
    Device device;
    need_tun(device, "lt-test", 1420);
    bring_up("lt-test");
    const int receiver = Datagrams::receiver("lt-test");
    Datagrams sent(6);
    sent.packets[2].back() = static_cast<char>(sent.packets[2].back() ^ 1);
    test::Outgoing out;
    for (const auto& packet : sent.packets) out.add(packet, TUNNEL_VERDICT_DELIVER);
    REQUIRE(test::write(device, out) == TUNNEL_OK);
    REQUIRE(out.verdicts() == std::vector<std::int32_t>(6, TUNNEL_VERDICT_SENT));
    sent.payloads.erase(sent.payloads.begin() + 2);
    REQUIRE(Datagrams::received(receiver) == sent.payloads);
  });
}

TEST_CASE("a kernel that refuses superpackets gets single packets", "[device][tun]") {
  test::in_namespace([] {
    Device device;
    need_tun(device, "lt-test", 1420);
    bring_up("lt-test");
    refuse_superpackets(EINVAL);
    Slab slab;
    REQUIRE(transfers(device, slab, false, 1 << 20));
    REQUIRE(counts(device).refused == 1);
    REQUIRE(counts(device).superpackets_written == 0);
    REQUIRE(counts(device).superpackets_read > 0);
    REQUIRE(device.ops->offload(device.self, 1) == TUNNEL_OK);
    REQUIRE(transfers(device, slab, false, 1 << 20));
    REQUIRE(counts(device).refused == 2);
  });
}

TEST_CASE("a kernel without UDP segmentation still has TCP's", "[device][tun]") {
  test::in_namespace([] {
    refuse_udp_offload();
    Device device;
    need_tun(device, "lt-test", 1420);
    bring_up("lt-test");
    const int receiver = Datagrams::receiver("lt-test");
    const Datagrams sent(6);
    test::Outgoing out;
    for (const auto& packet : sent.packets) out.add(packet, TUNNEL_VERDICT_DELIVER);
    REQUIRE(test::write(device, out) == TUNNEL_OK);
    REQUIRE(Datagrams::received(receiver) == sent.payloads);
    REQUIRE(counts(device).superpackets_written == 0);
    Slab slab;
    REQUIRE(transfers(device, slab));
    REQUIRE(counts(device).superpackets_written > 10);
  });
}

TEST_CASE("packets that go together wait together, unchanged", "[device][tun]") {
  test::in_namespace([] {
    Device device;
    need_tun(device, "lt-test", 1420);
    bring_up("lt-test");
    const Datagrams sent(3);
    test::Shape other;
    other.payload = "other";
    test::Outgoing out;
    out.add(test::packet_of(other), TUNNEL_VERDICT_DELIVER);
    for (const auto& packet : sent.packets) out.add(packet, TUNNEL_VERDICT_DELIVER);
    out.add(test::packet_of(other), TUNNEL_VERDICT_DELIVER);
    const auto before = out.texts;
    refuse_superpackets(EAGAIN);
    REQUIRE(test::write(device, out) == TUNNEL_OK);
    constexpr std::int32_t kWait = TUNNEL_VERDICT_WAIT;
    REQUIRE(out.verdicts() ==
            std::vector<std::int32_t>{TUNNEL_VERDICT_SENT, kWait, kWait, kWait, kWait});
    REQUIRE(out.texts == before);
    tunnel_handle handles[2];
    REQUIRE(device.ops->wait(device.self, handles, 2) == 1);
    REQUIRE(handles[0].events == (TUNNEL_READABLE | TUNNEL_WRITABLE));
  });
}

TEST_CASE("what waits of a superpacket can be waited for", "[device][tun]") {
  test::in_namespace([] {
    Device device;
    need_tun(device, "lt-test", 1420);
    bring_up("lt-test");
    Slab all;
    const Connection connection(device, all, false);
    while (test::ready(device)) reflect(device, all);
    const std::string bytes(8000, 'b');
    REQUIRE(::send(connection.near, bytes.data(), bytes.size(), 0) == 8000);
    Slab one(2000, 1420, 1);
    std::size_t packets = 0, waited = 0;
    tunnel_handle handles[2];
    while (packets < 6) {
      REQUIRE(test::ready(device, test::kPatience_ms));
      const std::int32_t count = device.ops->wait(device.self, handles, 2);
      REQUIRE(device.ops->wait(device.self, handles, 1) == 1);
      REQUIRE(test::read(device, one) == 1);
      waited += count == 2 ? 1 : 0;
      ++packets;
    }
    REQUIRE(waited > 0);
  });
}

TEST_CASE("a header that another program chose is read, or refused", "[device][tun]") {
  for (const int size : {10, 12, 20}) {
    test::in_namespace([size] {
      const int fd = test::foreign_tun(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
      REQUIRE(::ioctl(fd, TUNSETVNETHDRSZ, &size) == 0);
      Device device;
      const std::int32_t status = test::take_over(device, fd);
      if (size == 20) {
        REQUIRE(status == TUNNEL_ERR_ARGUMENT);
        REQUIRE(::fcntl(fd, F_GETFD) < 0);
        return;
      }
      REQUIRE(status == TUNNEL_OK);
      test::run_command("ip link set lt-given mtu 1420");
      bring_up("lt-given");
      Slab slab;
      REQUIRE(transfers(device, slab));
      REQUIRE(counts(device).superpackets_read > 10);
      REQUIRE(counts(device).superpackets_written > 10);
    });
  }
}

TEST_CASE("an interface without headers has no offloads", "[device][tun]") {
  test::in_namespace([] {
    const int fd = test::foreign_tun(IFF_TUN | IFF_NO_PI);
    REQUIRE(::ioctl(fd, TUNSETOFFLOAD, 7ul) == 0);  // what a careless user leaves behind
    Device device;
    REQUIRE(test::take_over(device, fd) == TUNNEL_OK);
    test::run_command("ip link set lt-given mtu 1420");
    bring_up("lt-given");
    REQUIRE(device.ops->offload(device.self, 1) == TUNNEL_ERR_UNSUPPORTED);
    REQUIRE(device.ops->offload(device.self, 0) == TUNNEL_OK);
    Slab slab;
    REQUIRE(transfers(device, slab, false, 1 << 20));
    REQUIRE(counts(device).superpackets_read == 0);
    REQUIRE(counts(device).superpackets_written == 0);
    test::run_command("ip link delete lt-given");
    REQUIRE(device.ops->offload(device.self, 1) == TUNNEL_ERR_CLOSED);
  });
}
