// exchange_test.cpp — the block while it becomes another one.
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <sys/socket.h>

#include <atomic>
#include <string>
#include <thread>

#include "host/settings/settings.h"
#include "settings_support.h"

using namespace tunnel::host;
using namespace tunnel::test;
using tunnel::base::Descriptor;

namespace {

TableStep block(int number) {
  const std::string port = std::to_string(number);
  return {kBlockTable,
          "\tcomment \"simplevpn wgt0\"\n"
          "\tset endpoints4 {\n\t\ttype ipv4_addr . inet_service\n"
          "\t\telements = { 192.0.2.9 . " +
              port +
              " }\n\t}\n"
              "\tchain output {\n\t\ttype filter hook output priority 0; policy drop;\n"
              "\t\tip daddr . udp dport @endpoints4 accept\n\t}\n",
          true};
}

// What arrives at the other end of wgt0's cable.
Descriptor listen() {
  Descriptor all(::socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_IP)));
  sockaddr_ll place{};
  place.sll_family = AF_PACKET;
  place.sll_protocol = htons(ETH_P_IP);
  place.sll_ifindex = static_cast<int>(::if_nametoindex("other"));
  REQUIRE(::bind(all.get(), reinterpret_cast<sockaddr*>(&place), sizeof place) == 0);
  return all;
}

// Sends to a port that no block knows, as fast as it goes.
void flood(const std::atomic<bool>& ended) {
  const Descriptor udp(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(7);
  to.sin_addr.s_addr = ::inet_addr("192.0.2.9");
  while (!ended) {
    (void)::sendto(udp.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
}

}  // namespace

TEST_CASE("nothing gets through the block while it is exchanged", "[host][settings]") {
  ::test::in_namespace([] {
    make_links();
    ::test::run_command("ip addr add 192.0.2.1/24 dev wgt0");
    ::test::run_command("ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev wgt0 nud permanent");
    auto tools = Tools::open("wgt0");
    REQUIRE(tools);
    REQUIRE(take(*tools, block(1000), "").error == 0);
    const Descriptor heard = listen();
    std::atomic<bool> ended{false};
    std::thread sender([&] { flood(ended); });
    int failures = 0;
    for (int round = 1001; round < 1200; ++round) {
      failures += take(*tools, block(round), "").error == 0 ? 0 : 1;
    }
    ended = true;
    sender.join();
    REQUIRE(failures == 0);
    char byte = 0;
    REQUIRE(::recv(heard.get(), &byte, 1, MSG_TRUNC) < 0);
    const std::string now = machine();
    REQUIRE(has_line(now, "192.0.2.9 . 1199"));
    REQUIRE_FALSE(has_line(now, "192.0.2.9 . 1198"));
    REQUIRE_FALSE(has_line(now, "192.0.2.9 . 1000"));
  });
}
