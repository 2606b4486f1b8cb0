// provider.h — the data-plane AEADs this build contains, and how one of them is chosen.
//
// A provider is opened and checked when it is first asked for, once per process: the answer does
// not change afterwards. None is timed then: see docs/decisions/0008-cipher-providers.md.
#pragma once

#include <tunnel/cipher.h>

#include <cstdint>
#include <span>

namespace tunnel::cipher {

// A provider, usable or not. `status` is TUNNEL_OK, or why `table` must not be used:
// TUNNEL_ERR_UNAVAILABLE (its library is not there), TUNNEL_ERR_UNSUPPORTED (this processor lacks
// something), TUNNEL_ERR_SELF_TEST (it gave a wrong answer), TUNNEL_ERR_MEMORY.
struct Provider {
  std::int32_t status;
  tunnel_cipher table;
};

// One line of the list: the name is known before anything is opened.
struct Entry {
  const char* name;
  const Provider& (*provider)() noexcept;
};

// libsodium's ChaCha20-Poly1305: always there. The prepared key is the key.
tunnel_cipher libsodium_provider() noexcept;

// intel-ipsec-mb, loaded when it is asked for. The prepared key is the key. Defined where the build
// has its header (TUNNEL_IPSEC_MB).
Provider open_ipsec_mb() noexcept;

// The provider, refused unless it knows the known answers and agrees with libsodium.
Provider checked(Provider provider) noexcept;

// All of this build, the fastest first, libsodium last.
std::span<const Entry> entries() noexcept;

// find_provider() in any list.
[[nodiscard]] std::int32_t choose(std::span<const Entry> list, const char* name,
                                  tunnel_cipher& out) noexcept;

}  // namespace tunnel::cipher
