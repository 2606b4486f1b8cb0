#include <cstdio>

#include <tunnel/cipher.h>
#include <tunnel/status.h>
#include <nlohmann/json.hpp>

#include "commands.h"

namespace simplevpn {
namespace {

std::string library_version() {
  const std::uint32_t version = tunnel_version();
  return std::to_string(version >> 16) + "." + std::to_string((version >> 8) & 0xff) + "." +
         std::to_string(version & 0xff);
}

std::string cipher_name() {
  tunnel_cipher cipher{};
  return tunnel_cipher_find(nullptr, &cipher) == TUNNEL_OK ? cipher.ops->name : "none";
}

}  // namespace

int version(const Output& output) {
  const std::string library = library_version();
  const std::string cipher = cipher_name();
  if (!output.json) {
    std::printf("simplevpn %s (libtunnel %s, %s)\n", SIMPLEVPN_VERSION, library.c_str(),
                cipher.c_str());
    return kOk;
  }
  const nlohmann::ordered_json document{{"schema", "simplevpn.version/1"},
                                        {"version", SIMPLEVPN_VERSION},
                                        {"libtunnel", library},
                                        {"abi", tunnel_version() >> 16},
                                        {"cipher", cipher}};
  std::printf("%s\n", document.dump(2).c_str());
  return kOk;
}

}  // namespace simplevpn
