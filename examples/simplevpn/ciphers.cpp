// ciphers.cpp - `ciphers`: who can encrypt the data on this machine, and how fast.
#include <cinttypes>
#include <cstdio>
#include <string>
#include <vector>

#include <tunnel/cipher.h>
#include <tunnel/status.h>
#include <nlohmann/json.hpp>

#include "commands.h"

namespace simplevpn {
namespace {

struct Measured {
  std::string name;
  std::int32_t status = TUNNEL_OK;
  std::uint64_t seal_ns = 0;  // of a message of 1420 bytes, in batches of 45
  std::uint64_t open_ns = 0;
};

Measured measured(const tunnel_cipher_info& info) {
  Measured result{info.name, info.status};
  tunnel_cipher cipher{};
  if (result.status == TUNNEL_OK) result.status = tunnel_cipher_find(info.name, &cipher);
  if (result.status != TUNNEL_OK) return result;
  tunnel_cipher_speed speed = TUNNEL_CIPHER_SPEED_INIT;
  result.status = tunnel_cipher_measure(&cipher, &speed);
  result.seal_ns = speed.seal_ps / 1000;
  result.open_ns = speed.open_ps / 1000;
  return result;
}

std::vector<Measured> all_measured() {
  std::vector<Measured> found;
  std::size_t cursor = 0;
  tunnel_cipher_info info = TUNNEL_CIPHER_INFO_INIT;
  while (tunnel_cipher_next(&cursor, &info) == TUNNEL_OK) found.push_back(measured(info));
  return found;
}

}  // namespace

// The first that can be used is the one that tunnels take.
int ciphers(const Output& output) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Measured& cipher : all_measured()) {
    const bool usable = cipher.status == TUNNEL_OK;
    const char* reason = usable ? "" : tunnel_status_text(cipher.status);
    if (output.json) {
      nlohmann::ordered_json entry{{"name", cipher.name}, {"usable", usable}};
      if (usable) entry.update({{"seal_ns", cipher.seal_ns}, {"open_ns", cipher.open_ns}});
      if (!usable) entry["reason"] = reason;
      list.push_back(entry);
    } else if (usable) {
      std::printf("%-12s seal %5" PRIu64 " ns, open %5" PRIu64 " ns per packet of 1420 bytes\n",
                  cipher.name.c_str(), cipher.seal_ns, cipher.open_ns);
    } else {
      std::printf("%-12s not usable: %s\n", cipher.name.c_str(), reason);
    }
  }
  const nlohmann::ordered_json document{{"schema", "simplevpn.ciphers/1"}, {"ciphers", list}};
  if (output.json) std::printf("%s\n", document.dump(2).c_str());
  return kOk;
}

}  // namespace simplevpn
