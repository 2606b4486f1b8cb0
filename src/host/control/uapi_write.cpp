#include "host/control/uapi_write.h"

#include <array>
#include <charconv>
#include <string>

#include "host/config/config.h"
#include "host/control/uapi.h"

namespace tunnel::host {
namespace {

using base::WipedBuffer;

constexpr std::uint64_t kSecond = 1'000'000'000;

template <class Number>
void put_number(std::string_view key, Number value, WipedBuffer& out) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(key);
  out.append("=");
  out.append({digits.data(), static_cast<std::size_t>(end.ptr - digits.data())});
  out.append("\n");
}

// Lower-case hexadecimal without a table: which memory is read does not depend on the key.
char digit(unsigned nibble) noexcept {
  return static_cast<char>('0' + nibble + ((9 - nibble) >> 8 & ('a' - '0' - 10)));
}

void write_drops(std::string_view prefix, std::span<const std::uint64_t> drops, WipedBuffer& out) {
  for (std::size_t i = 0; i < drops.size(); ++i) {
    if (drops[i] == 0) continue;
    out.append(prefix);
    put_number(std::to_string(TUNNEL_DROP_FIRST + i), drops[i], out);
  }
}

void write_counters(const tunnel_counters& counters, WipedBuffer& out) {
  for (const auto& counter : kCounterNames) {
    put_number(counter.name, counters.*counter.member, out);
  }
  put_number("x_under_load", counters.under_load, out);
  write_drops(kDropPrefix, counters.drops, out);
}

void write_engine(const tunnel_engine_counters& counters, WipedBuffer& out) {
  for (const auto& counter : kEngineCounterNames) {
    put_number(counter.name, counters.*counter.member, out);
  }
  put_number("x_engine_running", counters.running, out);
  write_drops(kDeviceDropPrefix, counters.device_drops, out);
  write_drops(kTransportDropPrefix, counters.transport_drops, out);
}

}  // namespace

void write_text(std::string_view key, std::string_view value, WipedBuffer& out) {
  out.append(key);
  out.append("=");
  out.append(value);
  out.append("\n");
}

void write_key(std::string_view key, base::BytesOf<TUNNEL_KEY_SIZE> value, WipedBuffer& out) {
  out.append(key);
  out.append("=");
  char* to = out.extend(2 * value.size());
  for (const std::uint8_t byte : value) {
    *to++ = digit(byte >> 4u);
    *to++ = digit(byte & 15u);
  }
  out.append("\n");
}

void write_interface(const InterfaceStatus& status, WipedBuffer& out) {
  if (!base::is_zero_constant_time(status.private_key)) {
    write_key("private_key", status.private_key, out);
  }
  if (status.port != 0) put_number("listen_port", status.port, out);
  if (status.fwmark != 0) put_number("fwmark", status.fwmark, out);
  put_number("x_since", status.since_s, out);
  put_number("x_mtu", status.mtu, out);
  put_number("x_process", status.process, out);
  if (!status.file.empty()) write_text("x_file", status.file, out);
  if (status.profile == TUNNEL_PROFILE_PLAIN) write_text(kProfile, kPlainProfile, out);
  write_counters(status.counters, out);
  write_engine(status.engine, out);
}

void write_peer(const PeerStatus& status, WipedBuffer& out) {
  const tunnel_peer_info& info = status.info;
  write_key("public_key", base::BytesOf<TUNNEL_KEY_SIZE>(info.public_key), out);
  write_key("preshared_key", base::BytesOf<TUNNEL_KEY_SIZE>(info.preshared_key), out);
  write_text("protocol_version", "1", out);
  if (info.endpoint.family != TUNNEL_FAMILY_NONE) {
    write_text("endpoint", address_text(info.endpoint), out);
  }
  put_number("last_handshake_time_sec", info.latest_handshake_ns / kSecond, out);
  put_number("last_handshake_time_nsec", info.latest_handshake_ns % kSecond, out);
  put_number("tx_bytes", info.tx_bytes, out);
  put_number("rx_bytes", info.rx_bytes, out);
  put_number("persistent_keepalive_interval", info.keepalive_s, out);
  for (const tunnel_prefix& prefix : status.prefixes) {
    write_text("allowed_ip", prefix_text(prefix), out);
  }
  if (!status.name.empty()) write_text("x_name", status.name, out);
  if (!status.fault.empty()) write_text("x_not_resolved", status.fault, out);
  put_number("x_session", info.has_session, out);
  put_number("x_handshake_ns", info.handshake_ns, out);
}

void write_end(int error, WipedBuffer& out) {
  put_number("errno", error, out);
  out.append("\n");
}

}  // namespace tunnel::host
