// uapi.h — words of the WireGuard control protocol that both ends use. Keys of our own begin with
// x_: other implementations and `wg` skip what they do not know.
#pragma once

#include <tunnel/engine.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace tunnel::host {

// "x_rx_packets" and so on stand for the members of tunnel_counters, "x_engine_..." for those of
// tunnel_engine_counters; drops are "x_drop_NUMBER", "x_device_drop_NUMBER" and so on.
template <class Counters>
struct CounterName {
  std::string_view name;
  std::uint64_t Counters::*member;
};

inline constexpr std::array<CounterName<tunnel_counters>, 18> kCounterNames = {{
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
    {"x_cookies_received", &tunnel_counters::cookies_received},
    {"x_keepalives_sent", &tunnel_counters::keepalives_sent},
    {"x_keepalives_received", &tunnel_counters::keepalives_received},
    {"x_staged_packets", &tunnel_counters::staged_packets},
    {"x_peers", &tunnel_counters::peers},
    {"x_sessions", &tunnel_counters::sessions},
    {"x_memory_bytes", &tunnel_counters::memory_bytes},
    {"x_memory_peak_bytes", &tunnel_counters::memory_peak_bytes},
}};

inline constexpr std::array<CounterName<tunnel_engine_counters>, 7> kEngineCounterNames = {{
    {"x_engine_wakeups", &tunnel_engine_counters::wakeups},
    {"x_engine_device_reads", &tunnel_engine_counters::device_reads},
    {"x_engine_device_packets_in", &tunnel_engine_counters::device_packets_in},
    {"x_engine_device_packets_out", &tunnel_engine_counters::device_packets_out},
    {"x_engine_transport_reads", &tunnel_engine_counters::transport_reads},
    {"x_engine_transport_packets_in", &tunnel_engine_counters::transport_packets_in},
    {"x_engine_transport_packets_out", &tunnel_engine_counters::transport_packets_out},
}};

// "x_profile=plain" warns of a tunnel that protects nothing; others have no such line.
inline constexpr std::string_view kProfile = "x_profile";
inline constexpr std::string_view kPlainProfile = "plain";

inline constexpr std::string_view kDropPrefix = "x_drop_";
inline constexpr std::string_view kDeviceDropPrefix = "x_device_drop_";
inline constexpr std::string_view kTransportDropPrefix = "x_transport_drop_";

}  // namespace tunnel::host
