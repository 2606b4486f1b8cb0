// model.h — what a wg-quick file says. Filled by the parser, constant afterwards.
#pragma once

#include <tunnel/host/config.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/base.h"

namespace tunnel::host {

using PublicKey = std::array<std::uint8_t, TUNNEL_KEY_SIZE>;

inline PublicKey public_key_of(const std::uint8_t* bytes) noexcept {
  PublicKey key{};
  std::memcpy(key.data(), bytes, key.size());
  return key;
}

// Public keys are spread evenly, so any eight bytes are a hash.
struct PublicKeyHash {
  std::size_t operator()(const PublicKey& key) const noexcept {
    return static_cast<std::size_t>(base::load_le64(key.data()));
  }
};

struct InterfaceSection {
  using Hooks = std::array<std::vector<std::string>, 4>;  // by TUNNEL_HOOK_ - 1

  base::Secret<TUNNEL_KEY_SIZE> private_key;
  std::uint32_t fields = 0;  // TUNNEL_CONFIG_
  std::uint32_t mtu = 0;
  std::uint32_t fwmark = 0;
  std::uint32_t table = 0;  // 0 = auto, or off by `fields`
  std::uint16_t port = 0;
  std::vector<tunnel_prefix> addresses;
  std::vector<tunnel_address> dns_servers;  // without ports
  std::vector<std::string> search_domains;
  std::vector<const char*> search_domain_texts;  // of search_domains, once these are complete
  Hooks hooks;
};

struct PeerSection {
  std::uint32_t line = 0;
  PublicKey public_key{};
  base::Secret<TUNNEL_KEY_SIZE> preshared_key;  // zero = none
  std::uint32_t keepalive_s = 0;
  std::string name;
  std::string host;
  std::uint16_t port = 0;
  tunnel_address endpoint{};
  std::vector<tunnel_prefix> allowed_ips;
};

struct Config {
  std::string file;  // absolute, without symlinks; "" = text in memory
  InterfaceSection interface;
  std::vector<PeerSection> peers;
  std::unordered_map<PublicKey, std::size_t, PublicKeyHash> by_key;  // index in peers
  std::vector<tunnel_config_issue> warnings;
  std::optional<tunnel_config_issue> missing_key;  // no private key: fine, unless it is to run
};

}  // namespace tunnel::host
