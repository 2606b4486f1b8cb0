// own_query.h — asks given resolvers for the addresses of a host name, with sockets of our own.
//
// For the time in which the system's resolver asks through the tunnel: a tunnel that is dead cannot
// tell where its server went. The hosts file is read first. Blocks, 15 seconds at the most.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <tunnel/packet.h>

#include <cstdint>
#include <vector>

#include "host/resolver/lookup.h"

namespace tunnel::host {

// `mark` is put on every socket; 0 leaves them as they are. A resolver with port 0 is asked at 53.
Lookup own_query(std::vector<tunnel_address> resolvers, std::uint32_t mark);

// writev() without SIGPIPE: a server that hangs up in the middle of a question must not end us.
ssize_t send_parts(int fd, const iovec* parts, int count) noexcept;

}  // namespace tunnel::host
