// uapi.h — words of the WireGuard control protocol that both ends use. Keys of our own begin with
// x_: other implementations and `wg` skip what they do not know.
#pragma once

#include <tunnel/core.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace tunnel::host {

// "x_rx_packets" and so on stand for the members of tunnel_counters; drops are "x_drop_NUMBER".
struct CounterName {
  std::string_view name;
  std::uint64_t tunnel_counters::*member;
};

inline constexpr std::array<CounterName, 16> kCounterNames = {{
    {"x_rx_packets", &tunnel_counters::rx_packets},
    {"x_rx_bytes", &tunnel_counters::rx_bytes},
    {"x_tx_packets", &tunnel_counters::tx_packets},
    {"x_tx_bytes", &tunnel_counters::tx_bytes},
    {"x_delivered_packets", &tunnel_counters::delivered_packets},
    {"x_delivered_bytes", &tunnel_counters::delivered_bytes},
    {"x_handshakes_initiated", &tunnel_counters::handshakes_initiated},
    {"x_handshakes_responded", &tunnel_counters::handshakes_responded},
    {"x_handshakes_completed", &tunnel_counters::handshakes_completed},
    {"x_cookie_replies", &tunnel_counters::cookie_replies},
    {"x_keepalives_sent", &tunnel_counters::keepalives_sent},
    {"x_keepalives_received", &tunnel_counters::keepalives_received},
    {"x_staged_packets", &tunnel_counters::staged_packets},
    {"x_peers", &tunnel_counters::peers},
    {"x_sessions", &tunnel_counters::sessions},
    {"x_memory_bytes", &tunnel_counters::memory_bytes},
}};

inline constexpr std::string_view kDropPrefix = "x_drop_";

}  // namespace tunnel::host
