// uapi_write.h — the text of an answer to `get=1`, from top to bottom: the interface, each peer,
// the end. It holds keys, so it is built in a buffer that is wiped.
#pragma once

#include <tunnel/engine.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "base/base.h"

namespace tunnel::host {

struct InterfaceStatus {
  base::BytesOf<TUNNEL_KEY_SIZE> private_key;  // all zero = none
  std::uint16_t port;
  std::uint32_t fwmark;
  std::uint32_t mtu;
  std::uint64_t since_s;
  std::uint32_t process;
  const tunnel_counters& counters;
  const tunnel_engine_counters& engine;
  std::uint32_t profile = TUNNEL_PROFILE_WIREGUARD;
  std::string_view file = {};
};

struct PeerStatus {
  const tunnel_peer_info& info;
  std::span<const tunnel_prefix> prefixes;
  std::string_view name;
  std::string_view fault = {};  // why the name of its endpoint has no address
};

void write_interface(const InterfaceStatus& status, base::WipedBuffer& out);
void write_peer(const PeerStatus& status, base::WipedBuffer& out);

// Single lines: "KEY=VALUE", and "KEY=" with 64 hexadecimal digits.
void write_text(std::string_view key, std::string_view value, base::WipedBuffer& out);
void write_key(std::string_view key, base::BytesOf<TUNNEL_KEY_SIZE> value, base::WipedBuffer& out);

// Ends an answer. `error` is an errno: positive after get, negative after set; that is what `wg`
// expects.
void write_end(int error, base::WipedBuffer& out);

}  // namespace tunnel::host
