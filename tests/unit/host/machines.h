// machines.h — machines made by hand, for tests of what is planned on them.
#pragma once

#include <string>

#include "host/machine/machine.h"
#include "settings_support.h"

namespace tunnel::test {

inline void add_network(host::Machine& machine, const char* link, const char* network) {
  machine.addresses.push_back({link, prefix(network)});
  machine.routes.push_back({.prefix = host::network_of(prefix(network)),
                            .device = link,
                            .table = host::kMainTable,
                            .metric = 0,
                            .advertised = false,
                            .connected = true});
}

// One network card with a default route of each family, as a laptop has it; no rp_filter.
inline host::Machine plain_machine() {
  host::Machine machine;
  machine.links = {{"lo", "", true, true, 65536}, {"eth0", "", true, false, 1500}};
  add_network(machine, "eth0", "192.168.1.5/24");
  add_network(machine, "eth0", "fd12:1::5/64");
  machine.routes.push_back({.prefix = prefix("0.0.0.0/0"),
                            .device = "eth0",
                            .gateway = address("192.168.1.1"),
                            .table = host::kMainTable});
  machine.routes.push_back({.prefix = prefix("::/0"),
                            .device = "eth0",
                            .gateway = address("fe80::1"),
                            .table = host::kMainTable,
                            .metric = 1024,
                            .advertised = true});
  for (const std::uint8_t family : {std::uint8_t{4}, std::uint8_t{6}}) {
    machine.rules.push_back({family, 0, 255, 0});
    machine.rules.push_back({family, 32766, host::kMainTable, 0});
  }
  for (const std::string link : {"all", "eth0"}) {
    for (const char* name : {"/rp_filter", "/arp_ignore", "/forwarding", "/src_valid_mark"}) {
      machine.sysctls["net/ipv4/conf/" + link + name] = "0";
    }
    machine.sysctls["net/ipv6/conf/" + link + "/disable_ipv6"] = "0";
    machine.sysctls["net/ipv6/conf/" + link + "/forwarding"] = "0";
    machine.sysctls["net/ipv6/conf/" + link + "/force_forwarding"] = "0";
    machine.sysctls["net/ipv6/conf/" + link + "/accept_ra"] = "1";
  }
  machine.sysctls["net/ipv4/ip_local_port_range"] = "32768\t60999";
  return machine;
}

}  // namespace tunnel::test
