// config.cpp — the functions of tunnel/host/config.h.
#include <tunnel/host/config.h>

#include <algorithm>
#include <memory>
#include <string>

#include "host/capi/issue.h"
#include "host/capi/objects.h"
#include "host/config/config.h"
#include "host/system/system.h"

namespace base = tunnel::base;
namespace host = tunnel::host;

namespace {

// Runs a reader that fills a Config or an issue, and hands the result to the caller.
template <class Reader>
std::int32_t make_config(Reader&& reader, tunnel_config** config, tunnel_config_issue* issue) {
  *config = nullptr;
  return host::guarded([&]() -> std::int32_t {
    auto made = std::make_unique<tunnel_config>();
    tunnel_config_issue found{};
    const std::int32_t status = reader(made->content, found);
    if (status != TUNNEL_OK) return host::tell(found, issue, status);
    *config = made.release();
    return TUNNEL_OK;
  });
}

}  // namespace

void tunnel_config_issue_init(tunnel_config_issue* issue) {
  if (issue != nullptr) *issue = TUNNEL_CONFIG_ISSUE_INIT;
}

int32_t tunnel_config_issue_text(const tunnel_config_issue* issue, const char* file, char* text,
                                 size_t size) {
  if (file == nullptr || (text == nullptr && size != 0)) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    tunnel_config_issue known{};
    const std::int32_t status = base::read_sized(issue, known);
    if (status != TUNNEL_OK) return status;
    const std::string whole = host::issue_text(known, file);
    if (size != 0) {
      const std::size_t count = std::min(whole.size(), size - 1);
      std::copy_n(whole.data(), count, text);
      text[count] = '\0';
    }
    return static_cast<std::int32_t>(whole.size());
  });
}

int32_t tunnel_config_read(const char* path, tunnel_config** config, tunnel_config_issue* issue) {
  if (path == nullptr || config == nullptr) return TUNNEL_ERR_ARGUMENT;
  const auto reader = [&](host::Config& into, tunnel_config_issue& found) {
    return host::read_config(path, into, found);
  };
  return make_config(reader, config, issue);
}

int32_t tunnel_config_parse(const char* text, size_t length, tunnel_config** config,
                            tunnel_config_issue* issue) {
  if (config == nullptr || (text == nullptr && length != 0)) return TUNNEL_ERR_ARGUMENT;
  if (length > host::kLongestFile) return TUNNEL_ERR_LIMIT;
  const auto reader = [&](host::Config& into, tunnel_config_issue& found) {
    return host::parse_config({text, length}, into, found);
  };
  return make_config(reader, config, issue);
}

int32_t tunnel_config_parse_plain(const char* text, size_t length, tunnel_config** config,
                                  tunnel_config_issue* issue) {
  if (config == nullptr || (text == nullptr && length != 0)) return TUNNEL_ERR_ARGUMENT;
  if (length > host::kLongestFile) return TUNNEL_ERR_LIMIT;
  const auto reader = [&](host::Config& into, tunnel_config_issue& found) {
    return host::parse_plain_config({text, length}, into, found);
  };
  return make_config(reader, config, issue);
}

void tunnel_config_destroy(tunnel_config* config) {
  delete config;
}

size_t tunnel_config_warning_count(const tunnel_config* config) {
  return config == nullptr ? 0 : config->content.warnings.size();
}

int32_t tunnel_config_warning(const tunnel_config* config, size_t index,
                              tunnel_config_issue* issue) {
  if (config == nullptr) return TUNNEL_ERR_ARGUMENT;
  if (index >= config->content.warnings.size()) return TUNNEL_ERR_NOT_FOUND;
  return base::write_sized(config->content.warnings[index], issue);
}

int32_t tunnel_config_check(const tunnel_config* config, tunnel_config_issue* issue) {
  if (config == nullptr) return TUNNEL_ERR_ARGUMENT;
  const auto& missing = config->content.missing_key;
  if (!missing) return TUNNEL_OK;
  if (issue != nullptr && base::write_sized(*missing, issue) != TUNNEL_OK) {
    return TUNNEL_ERR_ARGUMENT;
  }
  return TUNNEL_ERR_CONFIG;
}

int32_t tunnel_config_get_interface(const tunnel_config* config, tunnel_config_interface* out) {
  if (config == nullptr) return TUNNEL_ERR_ARGUMENT;
  const host::InterfaceSection& from = config->content.interface;
  tunnel_config_interface value = TUNNEL_CONFIG_INTERFACE_INIT;
  value.fields = from.fields;
  value.mtu = from.mtu;
  value.fwmark = from.fwmark;
  value.port = from.port;
  value.private_key = from.private_key.is_zero() ? nullptr : from.private_key.data();
  value.addresses = from.addresses.data();
  value.address_count = from.addresses.size();
  value.peer_count = config->content.peers.size();
  value.dns_servers = from.dns_servers.data();
  value.dns_server_count = from.dns_servers.size();
  value.search_domains = from.search_domain_texts.data();
  value.search_domain_count = from.search_domain_texts.size();
  value.table = from.table;
  value.file = config->content.file.c_str();
  return base::write_sized(value, out);
}

const char* tunnel_config_hook(const tunnel_config* config, uint32_t kind, size_t index) {
  if (config == nullptr || kind < TUNNEL_HOOK_PRE_UP || kind > TUNNEL_HOOK_POST_DOWN) {
    return nullptr;
  }
  const auto& commands = config->content.interface.hooks[kind - TUNNEL_HOOK_PRE_UP];
  return index < commands.size() ? commands[index].c_str() : nullptr;
}

int32_t tunnel_config_get_peer(const tunnel_config* config, size_t index, tunnel_config_peer* out) {
  if (config == nullptr) return TUNNEL_ERR_ARGUMENT;
  if (index >= config->content.peers.size()) return TUNNEL_ERR_NOT_FOUND;
  const host::PeerSection& from = config->content.peers[index];
  tunnel_config_peer value = TUNNEL_CONFIG_PEER_INIT;
  value.line = from.line;
  value.keepalive_s = from.keepalive_s;
  value.port = from.port;
  value.public_key = from.public_key.data();
  value.preshared_key = from.preshared_key.is_zero() ? nullptr : from.preshared_key.data();
  value.name = from.name.c_str();
  value.host = from.host.c_str();
  value.endpoint = from.endpoint;
  value.allowed_ips = from.allowed_ips.data();
  value.allowed_ip_count = from.allowed_ips.size();
  return base::write_sized(value, out);
}

const char* tunnel_config_peer_name(const tunnel_config* config,
                                    const uint8_t public_key[TUNNEL_KEY_SIZE]) {
  if (config == nullptr || public_key == nullptr) return "";
  const auto found = config->content.by_key.find(host::public_key_of(public_key));
  if (found == config->content.by_key.end()) return "";
  return config->content.peers[found->second].name.c_str();
}

int32_t tunnel_config_tunnel_name(const char* path, char name[16]) {
  if (path == nullptr || name == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    const std::string found = host::tunnel_name_of(path);
    std::copy_n(found.c_str(), found.size() + 1, name);
    return found.empty() ? TUNNEL_ERR_ARGUMENT : TUNNEL_OK;
  });
}
