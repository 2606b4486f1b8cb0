#include "host/control/event_text.h"

#include <algorithm>
#include <string>

#include "host/config/config.h"
#include "host/control/uapi_key.h"
#include "host/control/uapi_number.h"
#include "host/control/uapi_read.h"
#include "host/control/uapi_write.h"

namespace tunnel::host {
namespace {

bool read_public_key(std::string_view text, tunnel_notice& notice) {
  notice.has_key = 1;
  return read_key(text, base::MutableBytesOf<TUNNEL_KEY_SIZE>(notice.public_key));
}

bool read_place(std::string_view text, tunnel_address& out) {
  const auto address = read_address(text);
  if (address) out = *address;
  return address.has_value();
}

bool read_name(std::string_view text, tunnel_notice& notice) {
  const std::string name = friendly_name(text);
  const std::size_t length = std::min(name.size(), sizeof(notice.name) - 1);
  std::fill(std::begin(notice.name), std::end(notice.name), '\0');
  name.copy(notice.name, length);
  return true;
}

bool read_reason(std::string_view text, tunnel_notice& notice) {
  std::fill(std::begin(notice.reason), std::end(notice.reason), '\0');
  shown(text).copy(notice.reason, sizeof(notice.reason) - 1);
  return true;
}

bool read_line(std::string_view key, std::string_view value, tunnel_notice& notice) {
  if (key == "x_event") return read_decimal(value, notice.kind);
  if (key == "number") return read_decimal(value, notice.number);
  if (key == "time_ns") return read_decimal(value, notice.wall_ns);
  if (key == "value") return read_decimal(value, notice.value);
  if (key == "public_key") return read_public_key(value, notice);
  if (key == "endpoint") return read_place(value, notice.address);
  if (key == "x_name") return read_name(value, notice);
  if (key == "x_reason") return read_reason(value, notice);
  return true;
}

}  // namespace

std::optional<std::uint64_t> read_events_request(std::string_view line) {
  std::uint64_t since = 0;
  if (!line.starts_with(kEventsRequest)) return {};
  if (!read_decimal(line.substr(kEventsRequest.size()), since)) return {};
  return since;
}

void write_notice(const tunnel_notice& notice, base::WipedBuffer& out) {
  write_text("x_event", std::to_string(notice.kind), out);
  write_text("number", std::to_string(notice.number), out);
  write_text("time_ns", std::to_string(notice.wall_ns), out);
  write_text("value", std::to_string(notice.value), out);
  if (notice.has_key != 0) {
    write_key("public_key", base::BytesOf<TUNNEL_KEY_SIZE>(notice.public_key), out);
  }
  if (notice.address.family != TUNNEL_FAMILY_NONE) {
    write_text("endpoint", address_text(notice.address), out);
  }
  if (notice.name[0] != '\0') write_text("x_name", notice.name, out);
  if (notice.reason[0] != '\0') write_text("x_reason", notice.reason, out);
  out.append("\n");
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
