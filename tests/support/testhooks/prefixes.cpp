// prefixes.cpp — the table of allowed IPs; a peer is its owner number.
#include <cstring>

#include "router/router.h"
#include "testhooks.h"

using tunnel::router::kNobody;
using tunnel::router::Owner;
using tunnel::router::PrefixTable;

namespace {

PrefixTable& table(void* p) {
  return *static_cast<PrefixTable*>(p);
}

tunnel_prefix prefix(int family, const uint8_t* ip, int cidr) {
  tunnel_prefix made{};
  made.family = static_cast<uint8_t>(family);
  made.length = static_cast<uint8_t>(cidr);
  std::memcpy(made.bytes, ip, family == TUNNEL_FAMILY_IPV4 ? 4 : 16);
  return made;
}

bool is_prefix(int family, int cidr) {
  if (family == TUNNEL_FAMILY_IPV4) return cidr >= 0 && cidr <= 32;
  return family == TUNNEL_FAMILY_IPV6 && cidr >= 0 && cidr <= 128;
}

}  // namespace

void* tunnel_test_aip_new(void) {
  return new PrefixTable;
}

int tunnel_test_aip_insert(void* p, int family, const uint8_t* ip, int cidr, int peer) {
  if (!is_prefix(family, cidr) || peer < 0) return -1;
  return table(p).insert(prefix(family, ip, cidr), static_cast<Owner>(peer)) ? 0 : -1;
}

int tunnel_test_aip_remove(void* p, int peer) {
  table(p).remove_all(static_cast<Owner>(peer));
  return 0;
}

int tunnel_test_aip_remove_prefix(void* p, int family, const uint8_t* ip, int cidr, int peer) {
  if (!is_prefix(family, cidr) || peer < 0) return -1;
  return table(p).remove(prefix(family, ip, cidr), static_cast<Owner>(peer)) ? 0 : -1;
}

int tunnel_test_aip_lookup(void* p, int family, const uint8_t* ip) {
  const Owner owner = table(p).find(static_cast<uint8_t>(family), ip);
  return owner == kNobody ? -1 : static_cast<int>(owner);
}
