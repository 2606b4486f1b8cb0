// udp.h — opening UDP transports and naming addresses in tests.
#pragma once

#include <arpa/inet.h>
#include <tunnel/transport.h>

#include <string>

#include "support/catch.hpp"
#include "support/packets.h"

namespace test {

using Transport = Owned<tunnel_transport>;

inline tunnel_address address(const std::string& text, std::uint16_t port,
                              std::uint32_t scope = 0) {
  tunnel_address made{};
  const bool v6 = text.find(':') != text.npos;
  made.family = v6 ? TUNNEL_FAMILY_IPV6 : TUNNEL_FAMILY_IPV4;
  made.port = port;
  made.scope = scope;
  REQUIRE(::inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), made.bytes) == 1);
  return made;
}

inline std::string host_text(const tunnel_address& address) {
  char text[INET6_ADDRSTRLEN] = "none";
  if (address.family == TUNNEL_FAMILY_IPV4) ::inet_ntop(AF_INET, address.bytes, text, sizeof text);
  if (address.family == TUNNEL_FAMILY_IPV6) ::inet_ntop(AF_INET6, address.bytes, text, sizeof text);
  return text;
}

inline tunnel_udp_config udp_config(std::uint16_t port = 0, std::uint16_t families = 0) {
  tunnel_udp_config config = TUNNEL_UDP_CONFIG_INIT;
  config.port = port;
  config.families = families;
  return config;
}

inline std::int32_t open_udp(Transport& transport, const tunnel_udp_config& config) {
  return tunnel_udp_open(&config, &transport);
}

inline std::uint16_t port_of(const tunnel_transport& transport) {
  return static_cast<std::uint16_t>(transport.ops->port(transport.self));
}

// Two transports of one host.
struct UdpPair {
  UdpPair() {
    REQUIRE(open_udp(a, udp_config()) == TUNNEL_OK);
    REQUIRE(open_udp(b, udp_config()) == TUNNEL_OK);
  }
  Transport a, b;
};

// Waits for datagrams and reads them, 0 when none comes: much later than loopback ever takes. The
// monitor's handle can be ready before a datagram is.
inline std::int32_t read_some(const Transport& transport, Slab& slab) {
  std::int32_t count = 0;
  while (count == 0 && ready(transport, kPatience_ms)) count = read(transport, slab);
  return count;
}

// Sends one datagram; the packet as it is afterwards.
inline tunnel_packet send_one(const Transport& transport, const std::string& bytes,
                              const tunnel_address& remote, const tunnel_address& local = {}) {
  Outgoing out;
  out.add(bytes, TUNNEL_VERDICT_SEND, remote);
  out.packets[0].local = local;
  REQUIRE(write(transport, out) == TUNNEL_OK);
  return out.packets[0];
}

}  // namespace test
