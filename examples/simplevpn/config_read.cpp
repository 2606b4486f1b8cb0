#include "config_read.h"

namespace simplevpn {

std::optional<Failure> read_config(const std::string& path, const Output& output,
                                   ConfigHandle& config) {
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  tunnel_config* read = nullptr;
  const std::int32_t status = tunnel_config_read(path.c_str(), &read, &issue);
  if (status != TUNNEL_OK) return config_failure(output, status, path, issue);
  config.reset(read);
  return {};
}

bool saves_itself(const tunnel_config* config) {
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  return tunnel_config_get_interface(config, &interface) == TUNNEL_OK &&
         (interface.fields & TUNNEL_CONFIG_SAVE) != 0;
}

void advise_warnings(const std::string& path, const Output& output, const tunnel_config* config) {
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  for (std::size_t i = 0; tunnel_config_warning(config, i, &issue) == TUNNEL_OK; ++i) {
    char text[1024];
    tunnel_config_issue_text(&issue, path.c_str(), text, sizeof text);
    std::string line = text;
    while (line.ends_with('\n')) line.pop_back();
    advise(output, line);
  }
}

}  // namespace simplevpn
