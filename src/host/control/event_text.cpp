#include "host/control/event_text.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "host/config/config.h"

namespace tunnel::host {
namespace {

template <class Number>
bool read(std::string_view text, Number& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stop == end;
}

// Public keys only, so plain code does.
bool read_public_key(std::string_view text, tunnel_notice& notice) {
  if (text.size() != 2 * std::size_t{TUNNEL_KEY_SIZE}) return false;
  for (std::size_t i = 0; i < TUNNEL_KEY_SIZE; ++i) {
    const char* digits = text.data() + 2 * i;
    const auto [stop, error] = std::from_chars(digits, digits + 2, notice.public_key[i], 16);
    if (error != std::errc{} || stop != digits + 2) return false;
  }
  notice.has_key = 1;
  return true;
}

std::string hex_of(const std::uint8_t (&key)[TUNNEL_KEY_SIZE]) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : key) {
    text += kDigits[byte >> 4u];
    text += kDigits[byte & 15u];
  }
  return text;
}

bool read_place(std::string_view text, tunnel_address& out) {
  const auto address = read_address(text);
  if (address) out = *address;
  return address.has_value();
}

bool read_name(std::string_view text, tunnel_notice& notice) {
  const std::size_t length = std::min(text.size(), sizeof(notice.name) - 1);
  std::fill(std::begin(notice.name), std::end(notice.name), '\0');
  text.copy(notice.name, length);
  return true;
}

bool read_line(std::string_view key, std::string_view value, tunnel_notice& notice) {
  if (key == "x_event") return read(value, notice.kind);
  if (key == "number") return read(value, notice.number);
  if (key == "time_ns") return read(value, notice.wall_ns);
  if (key == "value") return read(value, notice.value);
  if (key == "public_key") return read_public_key(value, notice);
  if (key == "endpoint") return read_place(value, notice.address);
  if (key == "x_name") return read_name(value, notice);
  return true;
}

}  // namespace

std::optional<std::uint64_t> read_events_request(std::string_view line) {
  std::uint64_t since = 0;
  if (!line.starts_with(kEventsRequest)) return {};
  if (!read(line.substr(kEventsRequest.size()), since)) return {};
  return since;
}

void write_notice(const tunnel_notice& notice, base::WipedBuffer& out) {
  std::string text = "x_event=" + std::to_string(notice.kind) +
                     "\nnumber=" + std::to_string(notice.number) +
                     "\ntime_ns=" + std::to_string(notice.wall_ns) +
                     "\nvalue=" + std::to_string(notice.value) + "\n";
  if (notice.has_key != 0) text += "public_key=" + hex_of(notice.public_key) + "\n";
  if (notice.address.family != TUNNEL_FAMILY_NONE) {
    text += "endpoint=" + address_text(notice.address) + "\n";
  }
  if (notice.name[0] != '\0') text += std::string("x_name=") + notice.name + "\n";
  out.append(text + "\n");
}

bool read_notice(std::string_view block, tunnel_notice& notice) {
  notice = TUNNEL_NOTICE_INIT;
  while (!block.empty()) {
    const std::size_t end = std::min(block.find('\n'), block.size());
    const std::string_view line = block.substr(0, end);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return false;
    if (!read_line(line.substr(0, equals), line.substr(equals + 1), notice)) return false;
    block.remove_prefix(std::min(end + 1, block.size()));
  }
  return notice.kind != 0;
}

}  // namespace tunnel::host
