// text.cpp — the functions of tunnel/host/text.h.
#include <tunnel/host/text.h>

#include <algorithm>
#include <string>

#include "host/config/config.h"
#include "host/system/system.h"

namespace host = tunnel::host;

namespace {

std::int32_t put(const std::string& from, char* to, std::size_t size) noexcept {
  if (from.size() >= size) return TUNNEL_ERR_LIMIT;
  std::copy_n(from.c_str(), from.size() + 1, to);
  return TUNNEL_OK;
}

}  // namespace

int32_t tunnel_address_to_text(const tunnel_address* address, char text[TUNNEL_ADDRESS_TEXT_SIZE]) {
  if (address == nullptr || text == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded(
      [&] { return put(host::address_text(*address), text, TUNNEL_ADDRESS_TEXT_SIZE); });
}

int32_t tunnel_address_from_text(const char* text, size_t length, tunnel_address* address) {
  if (text == nullptr || address == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    const auto read = host::read_address({text, length});
    *address = read.value_or(tunnel_address{});
    return read ? TUNNEL_OK : TUNNEL_ERR_CONFIG;
  });
}

int32_t tunnel_prefix_to_text(const tunnel_prefix* prefix, char text[TUNNEL_PREFIX_TEXT_SIZE]) {
  if (prefix == nullptr || text == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded(
      [&] { return put(host::prefix_text(*prefix), text, TUNNEL_PREFIX_TEXT_SIZE); });
}

int32_t tunnel_prefix_from_text(const char* text, size_t length, tunnel_prefix* prefix) {
  if (text == nullptr || prefix == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    const auto read = host::read_prefix({text, length});
    *prefix = read.value_or(tunnel_prefix{});
    return read ? TUNNEL_OK : TUNNEL_ERR_CONFIG;
  });
}
