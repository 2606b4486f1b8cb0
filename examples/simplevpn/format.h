// format.h - times, sizes and addresses as people and programs read them.
#pragma once

#include <cstdint>
#include <string>

#include <tunnel/keys.h>
#include <tunnel/packet.h>

namespace simplevpn {

std::uint64_t wall_now_ns();

std::string rfc3339(std::uint64_t wall_ns);        // "2026-03-01T09:30:00.125Z"
std::string duration_text(std::uint64_t seconds);  // "34s", "1m12s", "2h14m", "3d4h"
std::string bytes_text(std::uint64_t bytes);       // "0 B", "3.1 MiB", "88 MiB"
std::string address_text(const tunnel_address& address);
std::string prefix_text(const tunnel_prefix& prefix);
std::string public_key_text(const std::uint8_t key[TUNNEL_KEY_SIZE]);  // never for secret keys

// An argument as a shell would need it quoted.
std::string shell_quoted(const std::string& argument);

}  // namespace simplevpn
