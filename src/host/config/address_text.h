// address_text.h — addresses and prefixes as people write them. Nothing here asks a name server.
#pragma once

#include <tunnel/packet.h>

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace tunnel::host {

// An address without port; an IPv6 one may carry a zone ("fe80::1%eth0", "fe80::1%2"). Nothing
// when the text is no address, or its zone is no interface of this machine.
std::optional<tunnel_address> read_ip(std::string_view text);

// "192.0.2.1:51820", "[2001:db8::1]:51820", or either without port (0).
std::optional<tunnel_address> read_address(std::string_view text);

// "10.9.0.1/24"; without a length it is the whole address. Host bits are kept.
std::optional<tunnel_prefix> read_prefix(std::string_view text);

// A whole number in decimal digits, nothing else, at most `max`.
std::optional<std::uint32_t> read_number(std::string_view text, std::uint32_t max);

std::string address_text(const tunnel_address& address);
std::string prefix_text(const tunnel_prefix& prefix);
// Each network once, in an order that is the same for equal lists.
std::set<std::string> network_texts(std::span<const tunnel_prefix> prefixes);

}  // namespace tunnel::host
