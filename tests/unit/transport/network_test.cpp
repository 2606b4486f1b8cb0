// What a network does to UDP: addresses vanish, routes move, paths are narrow. Each test has
// network namespaces of its own.
#include <net/if.h>
#include <sys/resource.h>

#include "support/netns.h"
#include "support/udp.h"

using test::Outgoing;
using test::run_command;
using test::Slab;
using test::Transport;

namespace {

// A transport here and one in a neighbouring namespace, with addresses of both families.
struct Hosts {
  Hosts() {
    run_command("ip address add 10.7.0.1/24 dev near");
    run_command("ip address add fd07::1/64 dev near nodad");
    REQUIRE(test::open_udp(here, test::udp_config()) == TUNNEL_OK);
    there_space.run([&] {
      run_command("ip address add 10.7.0.2/24 dev far");
      run_command("ip address add fd07::2/64 dev far nodad");
      REQUIRE(test::open_udp(there, test::udp_config()) == TUNNEL_OK);
    });
  }

  [[nodiscard]] tunnel_address far_address(const char* host) const {
    return test::address(host, test::port_of(there));
  }

  test::Neighbour there_space;
  Transport here, there;
};

// The network changed, as far as the transport has seen; forgets it.
bool changed(const Transport& transport) {
  return transport.ops->changed(transport.self) == TUNNEL_CHANGED_NETWORK;
}

void settle(const Transport& transport) {
  Slab slab;
  test::read(transport, slab);
  transport.ops->changed(transport.self);
}

}  // namespace

TEST_CASE("a sticky source that vanished does not cost the datagram", "[transport][network]") {
  test::in_namespace([] {
    Hosts hosts;
    Slab slab;
    struct Row {
      const char *extra, *length, *flags, *remote;
    };
    for (const auto& row :
         {Row{"10.7.0.9", "/24", "", "10.7.0.2"}, Row{"fd07::9", "/64", " nodad", "fd07::2"}}) {
      INFO(row.extra);
      const std::string prefix = std::string(row.extra) + row.length;
      run_command("ip address add dev near " + prefix + row.flags);
      const auto local = test::address(row.extra, 0);
      const auto to = hosts.far_address(row.remote);
      auto sent = test::send_one(hosts.here, "before", to, local);
      REQUIRE(sent.verdict == TUNNEL_VERDICT_SENT);
      REQUIRE(sent.local.family != TUNNEL_FAMILY_NONE);
      REQUIRE(test::read_some(hosts.there, slab) == 1);
      REQUIRE(test::host_text(slab.packets[0].remote) == row.extra);
      run_command("ip address delete dev near " + prefix);
      sent = test::send_one(hosts.here, "after", to, local);
      REQUIRE(sent.verdict == TUNNEL_VERDICT_SENT);
      REQUIRE(sent.local.family == TUNNEL_FAMILY_NONE);
      REQUIRE(test::read_some(hosts.there, slab) == 1);
      REQUIRE(slab.text(0) == "after");
    }
  });
}

TEST_CASE("a narrow path costs fragments, not packets", "[transport][network]") {
  test::in_namespace([] {
    Hosts hosts;
    run_command("ip link set near mtu 1400");
    hosts.there_space.run([] { run_command("ip link set far mtu 1400"); });
    Slab slab;
    for (const char* host : {"10.7.0.2", "fd07::2"}) {
      INFO(host);
      const std::string full(1452, 'f');
      REQUIRE(test::send_one(hosts.here, full, hosts.far_address(host)).verdict ==
              TUNNEL_VERDICT_SENT);
      REQUIRE(test::read_some(hosts.there, slab) == 1);
      REQUIRE(slab.text(0) == full);
    }
  });
}

TEST_CASE("where IPv6 is switched off, IPv4 works", "[transport][network]") {
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

TEST_CASE("without a route a datagram is unreachable, with one it leaves", "[transport][network]") {
  test::in_namespace([] {
    Hosts hosts;
    Slab slab;
    Outgoing out;
    out.add("lost", TUNNEL_VERDICT_SEND, test::address("192.0.2.1", 9));
    out.add("sent", TUNNEL_VERDICT_SEND, hosts.far_address("10.7.0.2"));
    out.add("lost", TUNNEL_VERDICT_SEND, test::address("2001:db8::1", 9));
    REQUIRE(test::write(hosts.here, out) == TUNNEL_OK);
    REQUIRE(out.verdicts() == std::vector<std::int32_t>{TUNNEL_DROP_UNREACHABLE,
                                                        TUNNEL_VERDICT_SENT,
                                                        TUNNEL_DROP_UNREACHABLE});
    run_command("ip link set near down");
    const auto to = hosts.far_address("10.7.0.2");
    REQUIRE(test::send_one(hosts.here, "down", to).verdict == TUNNEL_DROP_UNREACHABLE);
    run_command("ip link set near up");
    REQUIRE(test::send_one(hosts.here, "up", to).verdict == TUNNEL_VERDICT_SENT);
    REQUIRE(test::read_some(hosts.there, slab) >= 1);
  });
}

TEST_CASE("a firewall that refuses one datagram stops nothing else", "[transport][network]") {
  test::in_namespace([] {
    Hosts hosts;
    if (std::system("nft add table inet t >/dev/null 2>&1") != 0) throw test::Skip{"no nft here"};
    run_command("nft add chain inet t o '{ type filter hook output priority 0; }'");
    run_command("nft add rule inet t o ip daddr 10.7.0.99 drop");
    Outgoing out;
    out.add("refused", TUNNEL_VERDICT_SEND, test::address("10.7.0.99", 9));
    out.add("sent", TUNNEL_VERDICT_SEND, hosts.far_address("10.7.0.2"));
    REQUIRE(test::write(hosts.here, out) == TUNNEL_OK);
    REQUIRE(out.packets[0].verdict == TUNNEL_DROP_IO);
    REQUIRE(out.packets[1].verdict == TUNNEL_VERDICT_SENT);
  });
}

TEST_CASE("a full socket says WAIT and becomes writable", "[transport][network]") {
  test::in_namespace([] {
    Hosts hosts;
    // Datagrams to a neighbour that never answers stay in the send buffer until it is given up.
    test::write_file("/proc/sys/net/ipv4/neigh/near/retrans_time_ms", "50");
    auto config = test::udp_config();
    config.send_buffer = 1;
    Transport narrow;
    REQUIRE(test::open_udp(narrow, config) == TUNNEL_OK);
    settle(narrow);
    Outgoing out;
    for (int i = 0; i < 100; ++i) {
      out.add(std::string(1000, 'x'), TUNNEL_VERDICT_SEND, test::address("10.7.0.50", 9));
    }
    REQUIRE(test::write(narrow, out) == TUNNEL_OK);
    REQUIRE(out.packets[0].verdict == TUNNEL_VERDICT_SENT);
    REQUIRE(out.packets[99].verdict == TUNNEL_VERDICT_WAIT);
    bool waiting = false;
    for (const auto& packet : out.packets) {
      waiting = waiting || packet.verdict == TUNNEL_VERDICT_WAIT;
      REQUIRE((packet.verdict == TUNNEL_VERDICT_WAIT) == waiting);
    }
    tunnel_handle handles[4];
    REQUIRE(narrow.ops->wait(narrow.self, handles, 4) == 3);
    REQUIRE(handles[0].events == (TUNNEL_READABLE | TUNNEL_WRITABLE));
    REQUIRE(handles[1].events == TUNNEL_READABLE);
    REQUIRE(test::ready(narrow, -1));
    out.packets[99].verdict = TUNNEL_VERDICT_SEND;
    REQUIRE(test::write(narrow, out) == TUNNEL_OK);
    REQUIRE(out.packets[99].verdict == TUNNEL_VERDICT_SENT);
  });
}

TEST_CASE("link-local addresses are reached by their scope", "[transport][network]") {
  test::in_namespace([] {
    Hosts hosts;
    Slab slab;
    run_command("ip address add fe80::7:1/64 dev near nodad");
    hosts.there_space.run([] { run_command("ip address add fe80::7:2/64 dev far nodad"); });
    const auto scope = ::if_nametoindex("near");
    const auto to = test::address("fe80::7:2", test::port_of(hosts.there), scope);
    REQUIRE(test::send_one(hosts.here, "hello", to, test::address("fe80::7:1", 0, scope)).verdict ==
            TUNNEL_VERDICT_SENT);
    REQUIRE(test::read_some(hosts.there, slab) == 1);
    REQUIRE(test::host_text(slab.packets[0].remote) == "fe80::7:1");
    REQUIRE(slab.packets[0].remote.scope != 0);
    REQUIRE(test::send_one(hosts.there, "back", slab.packets[0].remote, slab.packets[0].local)
                .verdict == TUNNEL_VERDICT_SENT);
    REQUIRE(test::read_some(hosts.here, slab) == 1);
  });
}

TEST_CASE("changes of addresses, routes and links are noticed", "[transport][network]") {
  test::in_namespace([] {
    test::Neighbour neighbour;
    Transport udp;
    REQUIRE(test::open_udp(udp, test::udp_config()) == TUNNEL_OK);
    REQUIRE_FALSE(changed(udp));
    for (const char* command :
         {"ip address add 10.7.0.1/24 dev near", "ip route add 10.8.0.0/16 via 10.7.0.2",
          "ip route delete 10.8.0.0/16", "ip link set near down", "ip link set near up",
          "ip address delete 10.7.0.1/24 dev near"}) {
      INFO(command);
      settle(udp);
      run_command(command);
      REQUIRE(test::ready(udp, -1));
      Slab slab;
      REQUIRE(test::read(udp, slab) == 0);
      REQUIRE(changed(udp));
      REQUIRE_FALSE(changed(udp));
    }
  });
}

TEST_CASE("a refreshed address and a new neighbour are no change", "[transport][network]") {
  test::in_namespace([] {
    Hosts hosts;
    Slab slab;
    const char* refresh = "ip address change 10.7.0.1/24 dev near valid_lft 1000 preferred_lft 900";
    run_command(refresh);
    settle(hosts.here);
    run_command("ip neighbour add 10.7.0.200 lladdr 02:00:00:00:00:01 dev near");
    REQUIRE_FALSE(test::ready(hosts.here));
    run_command("ip address change 10.7.0.1/24 dev near valid_lft 2000 preferred_lft 1900");
    REQUIRE(test::ready(hosts.here, -1));
    REQUIRE(test::read(hosts.here, slab) == 0);
    REQUIRE_FALSE(changed(hosts.here));
  });
}

TEST_CASE("a transport without a monitor notices nothing", "[transport][network]") {
  test::in_namespace([] {
    test::Neighbour neighbour;
    auto config = test::udp_config();
    config.flags = TUNNEL_UDP_NO_MONITOR;
    Transport udp;
    REQUIRE(test::open_udp(udp, config) == TUNNEL_OK);
    run_command("ip address add 10.7.0.1/24 dev near");
    tunnel_handle handles[4];
    REQUIRE(udp.ops->wait(udp.self, handles, 4) == 2);
    settle(udp);
    REQUIRE_FALSE(changed(udp));
  });
}

TEST_CASE("the mark chooses the routing table", "[transport][network]") {
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

TEST_CASE("without free descriptors a transport says RESOURCES", "[transport][network]") {
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
