// data_path.h - how packets are moved: what the command line says of it, for every tunnel it
// starts.
#pragma once

#include <cstdint>
#include <string>

#include <tunnel/tunnel.hpp>

namespace simplevpn {

struct DataPath {
  std::string cipher;  // "" = the best for this processor
  std::uint32_t crypto_threads = 0;
  std::uint32_t tx_queue = 0;  // packets that may wait in the interface, 0 = as the kernel has it
  bool no_offload = false;

  // Who chose a cipher gets no other one: NOT_FOUND, UNSUPPORTED ...
  std::int32_t choose(tunnel_core_config& config) const {
    return cipher.empty() ? TUNNEL_OK : tunnel_cipher_find(cipher.c_str(), &config.cipher);
  }
  void choose(tunnel_tun_config& config) const {
    config.tx_queue = tx_queue;
    if (no_offload) config.flags |= TUNNEL_TUN_NO_OFFLOAD;
  }
  void choose(tunnel_udp_config& config) const {
    if (no_offload) config.flags |= TUNNEL_UDP_NO_OFFLOAD;
  }
  tunnel::EngineOptions engine() const {
    tunnel::EngineOptions options;
    options.crypto_threads = crypto_threads;
    return options;
  }
};

}  // namespace simplevpn
