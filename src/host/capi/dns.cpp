// dns.cpp — the functions of tunnel/host/dns.h.
#include "host/dns/dns.h"

#include <tunnel/host/dns.h>

#include <algorithm>
#include <string_view>

#include "host/system/system.h"

namespace host = tunnel::host;

using Backend = host::ResolverStep::Backend;

static_assert(static_cast<std::uint32_t>(Backend::resolved) + 1 == TUNNEL_DNS_RESOLVED);
static_assert(static_cast<std::uint32_t>(Backend::file) + 1 == TUNNEL_DNS_FILE);

const char* tunnel_dns_backend_name(uint32_t backend) {
  if (backend == TUNNEL_DNS_AUTO) return "auto";
  if (backend > TUNNEL_DNS_FILE) return nullptr;
  return host::backend_name(static_cast<Backend>(backend - 1));
}

int32_t tunnel_dns_backend_from_name(const char* name, uint32_t* backend) {
  if (name == nullptr || backend == nullptr) return TUNNEL_ERR_ARGUMENT;
  const auto known = host::backend_from(name);
  if (!known && std::string_view(name) != "auto") return TUNNEL_ERR_NOT_FOUND;
  *backend = known ? static_cast<std::uint32_t>(*known) + 1 : TUNNEL_DNS_AUTO;
  return TUNNEL_OK;
}

int32_t tunnel_dns_detect(uint32_t* backend) {
  if (backend == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    *backend = static_cast<std::uint32_t>(host::choose_backend(true)) + 1;
    return TUNNEL_OK;
  });
}

int32_t tunnel_dns_uplink(const tunnel_address* own, size_t own_count, tunnel_address* servers,
                          size_t size, size_t* count) {
  if (count == nullptr || (servers == nullptr && size != 0)) return TUNNEL_ERR_ARGUMENT;
  if (own == nullptr && own_count != 0) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    const std::vector<tunnel_address> found = host::uplink_resolvers({own, own + own_count});
    *count = found.size();
    std::copy_n(found.begin(), std::min(size, found.size()), servers);
    return TUNNEL_OK;
  });
}
