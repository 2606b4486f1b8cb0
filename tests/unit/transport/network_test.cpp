// What a network does to UDP: addresses vanish, routes move, paths are narrow. Each test has
// network namespaces of its own.
#include <net/if.h>

#include "support/hosts.h"

using test::Hosts;
using test::Outgoing;
using test::run_command;
using test::Slab;
using test::Transport;

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

TEST_CASE("a sticky source is left when the route moves elsewhere", "[transport][network]") {
  struct Row {
    const char *family, *host, *first, *second, *ours, *theirs;
  };
  for (const auto& row : {Row{"-4", "192.0.2.1", "10.7.0.2", "10.8.0.2", "10.7.0.1", "10.8.0.1"},
                          Row{"-6", "2001:db8::1", "fd07::2", "fd08::2", "fd07::1", "fd08::1"}}) {
    CAPTURE(row.family);
    test::in_namespace([&] {
      Hosts hosts;
      Slab slab;
      const std::string ip = std::string("ip ") + row.family;
      const std::string route = std::string(" ") + row.host + " via ";
      hosts.there_space.join("near2", "far2");
      run_command("ip address add 10.8.0.1/24 dev near2");
      run_command("ip address add fd08::1/64 dev near2 nodad");
      hosts.there_space.run([] {
        run_command("ip address add 10.8.0.2/24 dev far2");
        run_command("ip address add fd08::2/64 dev far2 nodad");
        run_command("ip address add 192.0.2.1/32 dev lo");
        run_command("ip address add 2001:db8::1/128 dev lo nodad");
      });
      run_command(ip + " route add" + route + row.first);
      test::settle(hosts.here);
      const auto host = test::address(row.host, 0);
      const auto to_us = test::address(row.ours, test::port_of(hosts.here));
      test::send_one(hosts.there, "hello", to_us, host);
      REQUIRE(test::read_some(hosts.here, slab) == 1);
      const tunnel_packet got = slab.packets[0];
      REQUIRE(test::host_text(got.remote) == row.host);

      run_command("ip route add 203.0.113.0/24 dev near2");  // none of this peer's business
      test::settle(hosts.here);
      for (int i = 0; i < 2; ++i) {
        const auto sent = test::send_one(hosts.here, "same way", got.remote, got.local);
        REQUIRE(sent.local.family != TUNNEL_FAMILY_NONE);
        REQUIRE(test::read_some(hosts.there, slab) == 1);
        REQUIRE(test::host_text(slab.packets[0].remote) == row.ours);
      }
      run_command(ip + " route change" + route + row.second);
      test::settle(hosts.here);
      const auto sent = test::send_one(hosts.here, "other way", got.remote, got.local);
      REQUIRE(sent.verdict == TUNNEL_VERDICT_SENT);
      REQUIRE(sent.local.family == TUNNEL_FAMILY_NONE);
      REQUIRE(test::read_some(hosts.there, slab) == 1);
      REQUIRE(test::host_text(slab.packets[0].remote) == row.theirs);
    });
  }
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
    config.flags = TUNNEL_UDP_NO_MONITOR;  // so that only the socket can be ready
    Transport narrow;
    REQUIRE(test::open_udp(narrow, config) == TUNNEL_OK);
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
    REQUIRE(narrow.ops->wait(narrow.self, handles, 4) == 2);
    REQUIRE(handles[0].events == (TUNNEL_READABLE | TUNNEL_WRITABLE));
    REQUIRE(handles[1].events == TUNNEL_READABLE);
    REQUIRE(test::ready(narrow, test::kPatience_ms));
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
