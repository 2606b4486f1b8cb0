// values.h — single values of a configuration file, as the WireGuard tools read them. Each gives
// the value, or nothing when the text is none; who asks has the words for it.
#pragma once

#include <tunnel/packet.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tunnel::host {

// A number up to 65535 or the name of a UDP service ("domain").
std::optional<std::uint16_t> read_port(std::string_view text);

// "off", decimal, or hexadecimal with 0x.
std::optional<std::uint32_t> read_mark(std::string_view text);

// Number of a routing table (not 0), or its name: a built-in one, or one of
// /etc/iproute2/rt_tables.
std::optional<std::uint32_t> read_routing_table(std::string_view text);

// Seconds of PersistentKeepalive: "off" (0) or up to 65535.
std::optional<std::uint32_t> read_keepalive(std::string_view text);

struct Endpoint {
  std::string host;  // without brackets
  std::uint16_t port = 0;
  tunnel_address address{};     // family NONE when `host` is a name, or its zone is unknown here
  bool needs_brackets = false;  // an IPv6 address that was written without
};

// Why an endpoint cannot be read, and the part of it that is at fault.
struct EndpointFault {
  std::string_view part;
  const char* message = nullptr;  // null = no fault
  const char* hint = "";
};

// "host:port", "192.0.2.1:port", "[IPv6]:port". Does not resolve names.
EndpointFault read_endpoint(std::string_view text, Endpoint& endpoint);

}  // namespace tunnel::host
