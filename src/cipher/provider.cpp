#include "cipher/provider.h"

#include <string_view>

#include "cipher/cipher.h"

namespace tunnel::cipher {

namespace {

// Enough for every length up to a few blocks to come along now and then, in a millisecond or two.
constexpr std::uint32_t kTrials = 8;

Provider open_libsodium() noexcept {
  return {TUNNEL_OK, libsodium_provider()};
}

std::int32_t check(const tunnel_cipher& table) noexcept {
  if (!initialize() || !passes_self_check(table)) return TUNNEL_ERR_SELF_TEST;
  const bool is_reference = table.ops == libsodium_provider().ops;
  return is_reference ? TUNNEL_OK : compare_with_libsodium(table, kTrials);
}

template <Provider (*open)() noexcept>
const Provider& once() noexcept {
  static const Provider provider = checked(open());
  return provider;
}

constexpr Entry kEntries[] = {
#ifdef TUNNEL_IPSEC_MB
    {"ipsec-mb", once<open_ipsec_mb>},
#endif
    {"libsodium", once<open_libsodium>},
};

}  // namespace

Provider checked(Provider provider) noexcept {
  if (provider.status == TUNNEL_OK) provider.status = check(provider.table);
  return provider;
}

std::span<const Entry> entries() noexcept {
  return kEntries;
}

std::int32_t choose(std::span<const Entry> list, const char* name, tunnel_cipher& out) noexcept {
  std::int32_t status = TUNNEL_ERR_NOT_FOUND;
  for (const auto& entry : list) {
    if (name != nullptr && std::string_view(name) != entry.name) continue;
    const auto& provider = entry.provider();
    status = provider.status;
    if (status != TUNNEL_OK) continue;
    out = provider.table;
    break;
  }
  return status;
}

std::int32_t find_provider(const char* name, tunnel_cipher& out) noexcept {
  return choose(kEntries, name, out);
}

std::int32_t next_provider(std::size_t& cursor, tunnel_cipher_info& info) noexcept {
  if (cursor >= std::size(kEntries)) return TUNNEL_ERR_NOT_FOUND;
  const auto& entry = kEntries[cursor++];
  info.name = entry.name;
  info.status = entry.provider().status;
  return TUNNEL_OK;
}

}  // namespace tunnel::cipher
