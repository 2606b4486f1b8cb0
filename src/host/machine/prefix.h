// prefix.h — questions to prefixes and addresses. Pure.
#pragma once

#include <tunnel/packet.h>

#include <cstdint>
#include <string_view>

#include "host/system/system.h"

namespace tunnel::host {

// True when every address of `inner` lies in `outer`. Host bits do not matter.
bool covers(const tunnel_prefix& outer, const tunnel_prefix& inner) noexcept;

// The same network; host bits do not matter.
bool same_network(const tunnel_prefix& a, const tunnel_prefix& b) noexcept;

// The prefix that holds this address alone.
tunnel_prefix host_prefix(const tunnel_address& address) noexcept;

// 0.0.0.0/0 or ::/0.
bool is_default(const tunnel_prefix& prefix) noexcept;

bool is_link_local(const tunnel_prefix& prefix) noexcept;

// Addresses that the Internet does not route: RFC 1918, ULA, link-local.
bool is_private(const tunnel_prefix& prefix) noexcept;

}  // namespace tunnel::host
