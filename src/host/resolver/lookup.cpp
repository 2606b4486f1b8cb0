#include "host/resolver/lookup.h"

#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/base.h"
#include "host/system/system.h"

namespace tunnel::host {
namespace {

struct FreeList {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

tunnel_address address_of(const addrinfo& entry, std::uint16_t port) noexcept {
  tunnel_address address{};
  if (entry.ai_family == AF_INET && entry.ai_addrlen >= sizeof(sockaddr_in)) {
    sockaddr_in from;
    std::memcpy(&from, entry.ai_addr, sizeof(from));
    address.family = TUNNEL_FAMILY_IPV4;
    std::memcpy(address.bytes, &from.sin_addr, sizeof(from.sin_addr));
  } else if (entry.ai_family == AF_INET6 && entry.ai_addrlen >= sizeof(sockaddr_in6)) {
    sockaddr_in6 from;
    std::memcpy(&from, entry.ai_addr, sizeof(from));
    address.family = TUNNEL_FAMILY_IPV6;
    address.scope = from.sin6_scope_id;
    std::memcpy(address.bytes, &from.sin6_addr, sizeof(from.sin6_addr));
  }
  address.port = port;
  return address;
}

}  // namespace

LookupResult look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) return {{}, error == EAI_SYSTEM ? text_of(errno) : ::gai_strerror(error)};
  const std::unique_ptr<addrinfo, FreeList> list(found);
  LookupResult result;
  for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
    const tunnel_address address = address_of(*entry, port);
    const bool known = std::any_of(
        result.addresses.begin(), result.addresses.end(),
        [&](const tunnel_address& other) { return base::same_address(other, address); });
    if (address.family != TUNNEL_FAMILY_NONE && !known) result.addresses.push_back(address);
  }
  if (result.addresses.empty()) result.reason = "the name has no address";
  return result;
}

}  // namespace tunnel::host
