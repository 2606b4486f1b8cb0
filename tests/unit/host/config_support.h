// config_support.h — configurations for tests: parsed, or refused with an issue.
#pragma once

#include <tunnel/host/config.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tunnel::test {

struct ConfigDeleter {
  void operator()(tunnel_config* config) const { tunnel_config_destroy(config); }
};
using ConfigPtr = std::unique_ptr<tunnel_config, ConfigDeleter>;

// Keys that are valid, and no secret of anybody.
inline const std::string kPrivateKey = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
inline const std::string kOwnPublicKey = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=";
inline const std::string kPeerKey = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
inline const std::string kOtherKey = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=";

struct Parsed {
  ConfigPtr config;
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  std::int32_t status = 0;

  tunnel_config_interface interface() const {
    tunnel_config_interface out = TUNNEL_CONFIG_INTERFACE_INIT;
    (void)tunnel_config_get_interface(config.get(), &out);
    return out;
  }
  tunnel_config_peer peer(std::size_t index) const {
    tunnel_config_peer out = TUNNEL_CONFIG_PEER_INIT;
    (void)tunnel_config_get_peer(config.get(), index, &out);
    return out;
  }
  tunnel_config_issue warning(std::size_t index) const {
    tunnel_config_issue out = TUNNEL_CONFIG_ISSUE_INIT;
    (void)tunnel_config_warning(config.get(), index, &out);
    return out;
  }
};

inline Parsed parse(std::string_view text) {
  Parsed parsed;
  tunnel_config* config = nullptr;
  parsed.status = tunnel_config_parse(text.data(), text.size(), &config, &parsed.issue);
  parsed.config.reset(config);
  return parsed;
}

// A file whose first section is complete; what follows begins in line 3.
inline std::string with_interface(std::string_view rest) {
  return "[Interface]\nPrivateKey = " + kPrivateKey + "\n" + std::string(rest);
}

// A file whose first peer is complete; what follows begins in line 5.
inline std::string with_peer(std::string_view rest) {
  return with_interface("[Peer]\nPublicKey = " + kPeerKey + "\n" + std::string(rest));
}

}  // namespace tunnel::test
