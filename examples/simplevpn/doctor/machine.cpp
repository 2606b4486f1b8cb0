#include "machine.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <tunnel/host/dns.h>
#include <tunnel/host/text.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>

#include "../format.h"
#include "../handles.h"
#include "../privilege.h"
#include "way.h"

namespace simplevpn::doctor {
namespace {

// ---- privileges and the port ----

std::string tun_error() {
  const Descriptor node(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  return node.get() >= 0 ? "" : std::strerror(errno);
}

bool is_port_taken(std::uint16_t port) {
  if (port == 0) return false;
  const Descriptor handle(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  const auto* plain = reinterpret_cast<const sockaddr*>(&address);
  return bind(handle.get(), plain, sizeof address) != 0 && errno == EADDRINUSE;
}

// ---- kernel settings ----

std::string sysctl(const std::string& name) {
  std::ifstream file("/proc/sys/net/" + name);
  std::string value;
  file >> value;
  return value;
}

// The kernel takes the larger of `all` and the interface's own.
bool filters_strictly() {
  const std::unique_ptr<DIR, int (*)(DIR*)> links(opendir("/proc/sys/net/ipv4/conf"), closedir);
  const std::string all = sysctl("ipv4/conf/all/rp_filter");
  while (const dirent* link = links ? readdir(links.get()) : nullptr) {
    const std::string name = link->d_name;
    if (name == "." || name == ".." || name == "default" || name == "lo") continue;
    if (std::max(all, sysctl("ipv4/conf/" + name + "/rp_filter")) == "1") return true;
  }
  return false;
}

// ---- ways ----

sockaddr_storage socket_address(const tunnel_address& from) {
  sockaddr_storage to{};
  if (from.family == TUNNEL_FAMILY_IPV4) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&to);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(53);
    std::memcpy(&v4->sin_addr, from.bytes, 4);
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&to);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(53);
    v6->sin6_scope_id = from.scope;
    std::memcpy(&v6->sin6_addr, from.bytes, 16);
  }
  return to;
}

Leads leads_to(const Facts& facts, const std::string& text) {
  tunnel_address address{};
  if (tunnel_address_from_text(text.data(), text.size(), &address) != TUNNEL_OK) {
    return Leads::nowhere;
  }
  const sockaddr_storage to = socket_address(address);
  return leads(facts.name, reinterpret_cast<const sockaddr*>(&to), 0);
}

// As every program reads them; "[...]" because an address of IPv6 without a port is meant.
void read_name_servers(Facts& facts) {
  std::ifstream file("/etc/resolv.conf");
  std::string word;
  while (file >> word) {
    std::string line;
    if (word != "nameserver" || !(file >> word)) {
      std::getline(file, line);
      continue;
    }
    const bool v6 = word.find(':') != std::string::npos;
    NameServer server{word};
    server.local = word.starts_with("127.") || word == "::1";
    server.inside = leads_to(facts, v6 ? "[" + word + "]:53" : word) == Leads::inside;
    facts.name_servers.push_back(std::move(server));
    std::getline(file, line);
  }
}

}  // namespace

void read_machine(Facts& facts) {
  facts.may_administrate = has_net_admin();
  facts.tun_error = tun_error();
  facts.port_taken = !facts.running && !facts.hangs && is_port_taken(facts.port);
  facts.strict_reverse_path = filters_strictly();
  facts.marks_count_for_it = sysctl("ipv4/conf/all/src_valid_mark") == "1";
  facts.ipv6_off = sysctl("ipv6/conf/all/disable_ipv6") != "0";
  facts.wall_s = static_cast<std::int64_t>(wall_now_ns() / 1'000'000'000);
  facts.in_force = read_in_force(facts.name);
  if (facts.mark == 0) facts.mark = facts.in_force.mark;
  facts.routed_inside = leads_to(facts, "223.255.255.1:53") == Leads::inside ||
                        leads_to(facts, "[2000::1]:53") == Leads::inside;
  facts.ipv6_outside = leads_to(facts, "[2000::1]:53") == Leads::outside;
  read_name_servers(facts);
}

void read_forwarding(const tunnel_config* config, Facts& facts) {
  if (!facts.running || !facts.in_force.translates) return;
  tunnel_settings_request request = TUNNEL_SETTINGS_REQUEST_INIT;
  request.flags = TUNNEL_SETTINGS_SERVER;
  request.dns_backend = TUNNEL_DNS_FILE;
  tunnel_settings* planned = nullptr;
  if (tunnel_settings_plan_for(config, &request, facts.name.c_str(), &planned, nullptr) !=
      TUNNEL_OK) {
    return;
  }
  const SettingsHandle plan(planned);
  tunnel_setting setting = TUNNEL_SETTING_INIT;
  for (std::size_t i = 0; tunnel_settings_get(planned, i, &setting) == TUNNEL_OK; ++i) {
    if (setting.kind != TUNNEL_SETTING_FOREIGN_RULE) continue;
    const auto& ours = facts.in_force.foreign_rules;
    const bool passes = std::any_of(ours.begin(), ours.end(), [&](const std::string& rule) {
      return chain_of(rule) == chain_of(setting.text);
    });
    if (!passes) facts.refusing_chains.emplace_back(setting.text);
  }
}

}  // namespace simplevpn::doctor
