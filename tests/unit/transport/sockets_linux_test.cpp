// Opening sockets where something is missing: a family, privileges, descriptors. Each test has a
// network namespace of its own.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <utility>

#include "support/hosts.h"

using test::Hosts;
using test::run_command;
using test::Slab;
using test::Transport;

namespace {

// From here on the machine has no such address family, as when the kernel was built without it.
void forbid_family(std::uint32_t family) {
  const auto load = [](std::size_t offset) {
    return sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)};
  };
  sock_filter steps[] = {
      load(offsetof(seccomp_data, nr)),
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, SYS_socket},
      load(offsetof(seccomp_data, args)),
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, family},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EAFNOSUPPORT},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(steps)), steps};
  REQUIRE(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    throw test::Skip{"system calls cannot be filtered here"};
  }
}

}  // namespace

TEST_CASE("where IPv6 is switched off, IPv4 works", "[transport][udp]") {
  test::in_namespace([] {
    test::write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
    test::write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
    Transport a, b;
    Slab slab;
    REQUIRE(test::open_udp(a, test::udp_config()) == TUNNEL_OK);
    REQUIRE(test::open_udp(b, test::udp_config()) == TUNNEL_OK);
    const auto lost = test::send_one(a, "6", test::address("fd00::1", test::port_of(b)));
    REQUIRE(lost.verdict == TUNNEL_DROP_UNREACHABLE);
    test::send_one(a, "4", test::address("127.0.0.1", test::port_of(b)));
    REQUIRE(test::read_some(b, slab) == 1);
    auto only_v6 = test::udp_config();
    only_v6.bind = test::address("fd00::1", 0);
    REQUIRE(test::open_udp(b, only_v6) == TUNNEL_ERR_UNAVAILABLE);
  });
}

TEST_CASE("one missing family is not fatal, two are", "[transport][udp]") {
  for (const auto& [missing, host] :
       {std::pair{AF_INET6, "127.0.0.1"}, std::pair{AF_INET, "::1"}}) {
    CAPTURE(host);
    test::in_namespace([family = static_cast<std::uint32_t>(missing), host = host] {
      forbid_family(family);
      Transport a, b;
      Slab slab;
      REQUIRE(test::open_udp(a, test::udp_config()) == TUNNEL_OK);
      REQUIRE(test::open_udp(b, test::udp_config()) == TUNNEL_OK);
      REQUIRE(test::port_of(b) != 0);
      REQUIRE(b.ops->rebind(b.self) == TUNNEL_OK);
      test::send_one(a, "x", test::address(host, test::port_of(b)));
      REQUIRE(test::read_some(b, slab) == 1);
      forbid_family(AF_INET);
      forbid_family(AF_INET6);
      Transport none;
      REQUIRE(test::open_udp(none, test::udp_config()) == TUNNEL_ERR_UNAVAILABLE);
    });
  }
}

TEST_CASE("the mark chooses the routing table", "[transport][udp]") {
  test::in_namespace([] {
    Hosts hosts;
    Slab slab;
    run_command("ip rule add fwmark 51 table 51");
    run_command("ip route add 192.0.2.0/24 via 10.7.0.2 table 51");
    hosts.there_space.run([] { run_command("ip address add 192.0.2.1/32 dev far"); });
    const auto to = hosts.far_address("192.0.2.1");
    REQUIRE(test::send_one(hosts.here, "x", to).verdict == TUNNEL_DROP_UNREACHABLE);
    REQUIRE(hosts.here.ops->mark(hosts.here.self, 51) == TUNNEL_OK);
    REQUIRE(test::send_one(hosts.here, "x", to).verdict == TUNNEL_VERDICT_SENT);
    REQUIRE(test::read_some(hosts.there, slab) == 1);
    REQUIRE(hosts.here.ops->rebind(hosts.here.self) == TUNNEL_OK);
    REQUIRE(test::send_one(hosts.here, "x", to).verdict == TUNNEL_VERDICT_SENT);
    auto config = test::udp_config();
    config.mark = 51;
    Transport marked;
    REQUIRE(test::open_udp(marked, config) == TUNNEL_OK);
    REQUIRE(test::send_one(marked, "x", to).verdict == TUNNEL_VERDICT_SENT);
  });
}

TEST_CASE("without privileges a mark and a low port are refused", "[transport][udp]") {
  test::in_namespace([] {
    Transport udp, refused;
    REQUIRE(test::open_udp(udp, test::udp_config()) == TUNNEL_OK);
    test::drop_privileges();
    auto config = test::udp_config();
    config.mark = 51;
    REQUIRE(test::open_udp(refused, config) == TUNNEL_ERR_PERMISSION);
    REQUIRE(test::open_udp(refused, test::udp_config(53)) == TUNNEL_ERR_PERMISSION);
    REQUIRE(udp.ops->mark(udp.self, 51) == TUNNEL_ERR_PERMISSION);
    REQUIRE(test::open_udp(refused, test::udp_config()) == TUNNEL_OK);
    REQUIRE(udp.ops->rebind(udp.self) == TUNNEL_OK);
  });
}

TEST_CASE("without free descriptors a transport says RESOURCES", "[transport][udp]") {
  test::in_namespace([] {
    Transport open;
    REQUIRE(test::open_udp(open, test::udp_config()) == TUNNEL_OK);
    const std::uint16_t port = test::port_of(open);
    for (const rlim_t limit : {3u, 7u, 8u}) {
      INFO(limit);
      const rlimit few{limit, 100};
      REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
      Transport refused;
      REQUIRE(test::open_udp(refused, test::udp_config()) == TUNNEL_ERR_RESOURCES);
      if (limit == 8) break;
      REQUIRE(open.ops->rebind(open.self) == TUNNEL_ERR_RESOURCES);
      REQUIRE(open.ops->set_port(open.self, 0) == TUNNEL_ERR_RESOURCES);
    }
    const rlimit enough{100, 100};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &enough) == 0);
    Slab slab;
    REQUIRE(test::port_of(open) == port);
    REQUIRE(test::send_one(open, "myself", test::address("127.0.0.1", port)).verdict ==
            TUNNEL_VERDICT_SENT);
    REQUIRE(test::read_some(open, slab) == 1);
  });
}
