#include "host/machine/reader.h"

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "host/machine/dump.h"
#include "host/machine/prefix.h"
#include "host/system/system.h"

namespace tunnel::host {
namespace {

using Names = std::unordered_map<std::uint32_t, std::string>;  // by interface index

template <class Header>
const Header& header_of(const nlmsghdr* message) {
  return *static_cast<const Header*>(mnl_nlmsg_get_payload(message));
}

// Our number of the kernel's family; 0 for what is neither.
std::uint8_t family_of(unsigned char family) noexcept {
  if (family == AF_INET) return TUNNEL_FAMILY_IPV4;
  return family == AF_INET6 ? TUNNEL_FAMILY_IPV6 : TUNNEL_FAMILY_NONE;
}

void copy_bytes(const nlattr* attribute, std::uint8_t (&bytes)[16]) {
  if (attribute == nullptr) return;
  const std::size_t size = mnl_attr_get_payload_len(attribute);
  const auto* from = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
  std::copy_n(from, std::min(size, sizeof(bytes)), bytes);
}

std::string name_of(const Names& names, std::uint32_t index) {
  const auto found = names.find(index);
  return found == names.end() ? std::string() : found->second;
}

Link read_link(const nlmsghdr* message) {
  const auto& header = header_of<ifinfomsg>(message);
  const Attributes attributes(message, sizeof(header));
  const Attributes info(attributes.get(IFLA_LINKINFO));
  return {.name = attributes.text(IFLA_IFNAME),
          .kind = info.text(IFLA_INFO_KIND),
          .up = (header.ifi_flags & IFF_UP) != 0,
          .loopback = (header.ifi_flags & IFF_LOOPBACK) != 0,
          .mtu = attributes.number(IFLA_MTU)};
}

void read_address(const nlmsghdr* message, const Names& names, Machine& machine) {
  const auto& header = header_of<ifaddrmsg>(message);
  const Attributes attributes(message, sizeof(header));
  const std::uint8_t family = family_of(header.ifa_family);
  if (family == TUNNEL_FAMILY_NONE) return;
  const nlattr* local = attributes.get(IFA_LOCAL);
  LinkAddress address{name_of(names, header.ifa_index), {family, header.ifa_prefixlen, 0, 0, {}}};
  copy_bytes(local != nullptr ? local : attributes.get(IFA_ADDRESS), address.address.bytes);
  machine.addresses.push_back(std::move(address));
}

std::optional<tunnel_address> gateway_of(const nlattr* attribute, std::uint8_t family) {
  if (attribute == nullptr) return std::nullopt;
  tunnel_address gateway{};
  gateway.family = family;
  copy_bytes(attribute, gateway.bytes);
  return gateway;
}

// The attributes of one of the ways of a route.
const nlattr* gateway_in(const rtnexthop& way) {
  const auto* attribute = reinterpret_cast<const nlattr*>(&way + 1);
  int left = static_cast<int>(way.rtnh_len) - static_cast<int>(sizeof(way));
  while (mnl_attr_ok(attribute, left)) {
    if (mnl_attr_get_type(attribute) == RTA_GATEWAY) return attribute;
    left -= static_cast<int>(MNL_ALIGN(attribute->nla_len));
    attribute = mnl_attr_next(attribute);
  }
  return nullptr;
}

// A route that has several ways becomes one route for each of them here.
void read_ways(const nlattr* multipath, const Names& names, const Route& model, Machine& machine) {
  std::size_t left = mnl_attr_get_payload_len(multipath);
  const auto* at = static_cast<const std::uint8_t*>(mnl_attr_get_payload(multipath));
  while (left >= sizeof(rtnexthop)) {
    const auto& way = *reinterpret_cast<const rtnexthop*>(at);
    const std::size_t step = MNL_ALIGN(way.rtnh_len);
    if (way.rtnh_len < sizeof(way) || step > left) return;
    Route route = model;
    route.device = name_of(names, static_cast<std::uint32_t>(way.rtnh_ifindex));
    route.gateway = gateway_of(gateway_in(way), model.prefix.family);
    machine.routes.push_back(std::move(route));
    left -= step;
    at += step;
  }
}

void read_route(const nlmsghdr* message, const Names& names, Machine& machine) {
  const auto& header = header_of<rtmsg>(message);
  const Attributes attributes(message, sizeof(header));
  const std::uint8_t family = family_of(header.rtm_family);
  if (family == TUNNEL_FAMILY_NONE || (header.rtm_flags & RTM_F_CLONED) != 0) return;
  Route route;
  route.prefix = {family, header.rtm_dst_len, 0, 0, {}};
  copy_bytes(attributes.get(RTA_DST), route.prefix.bytes);
  route.table =
      attributes.get(RTA_TABLE) != nullptr ? attributes.number(RTA_TABLE) : header.rtm_table;
  if (route.table == RT_TABLE_LOCAL) return;
  route.metric = attributes.number(RTA_PRIORITY);
  route.advertised = header.rtm_protocol == RTPROT_RA;
  route.connected = header.rtm_protocol == RTPROT_KERNEL;
  if (const nlattr* multipath = attributes.get(RTA_MULTIPATH)) {
    return read_ways(multipath, names, route, machine);
  }
  if (header.rtm_type == RTN_UNICAST) route.device = name_of(names, attributes.number(RTA_OIF));
  route.gateway = gateway_of(attributes.get(RTA_GATEWAY), family);
  machine.routes.push_back(std::move(route));
}

void read_rule(const nlmsghdr* message, Machine& machine) {
  const auto& header = header_of<fib_rule_hdr>(message);
  const Attributes attributes(message, sizeof(header));
  const std::uint8_t family = family_of(header.family);
  if (family == TUNNEL_FAMILY_NONE) return;
  const std::uint32_t table =
      attributes.get(FRA_TABLE) != nullptr ? attributes.number(FRA_TABLE) : header.table;
  machine.rules.push_back(
      {family, attributes.number(FRA_PRIORITY), table, attributes.number(FRA_FWMARK)});
}

std::int32_t read_links(Machine& machine, Names& names) {
  return dump({NETLINK_ROUTE, RTM_GETLINK}, [&](const nlmsghdr* message) {
    machine.links.push_back(read_link(message));
    const auto index = static_cast<std::uint32_t>(header_of<ifinfomsg>(message).ifi_index);
    names[index] = machine.links.back().name;
  });
}

bool is_flag(std::string_view name) noexcept {
  return name == "all" || name == "default";
}

void read_values(const std::string& folder, std::span<const std::string_view> names,
                 Sysctls& sysctls) {
  for (const std::string_view name : names) {
    const std::string path = folder + std::string(name);
    const auto content = read_file("/proc/sys/" + path, 4096, nullptr);
    if (!content) continue;
    std::string_view text = content->text();
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    sysctls[path] = text;
  }
}

}  // namespace

std::int32_t read_routing(Machine& machine) {
  Names names;
  std::int32_t status = read_links(machine, names);
  if (status != TUNNEL_OK) return status;
  status = dump({NETLINK_ROUTE, RTM_GETADDR},
                [&](const nlmsghdr* message) { read_address(message, names, machine); });
  if (status != TUNNEL_OK) return status;
  status = dump({NETLINK_ROUTE, RTM_GETROUTE},
                [&](const nlmsghdr* message) { read_route(message, names, machine); });
  if (status != TUNNEL_OK) return status;
  return dump({NETLINK_ROUTE, RTM_GETRULE},
              [&](const nlmsghdr* message) { read_rule(message, machine); });
}

Sysctls read_sysctls(const std::vector<Link>& links) {
  constexpr std::array<std::string_view, 4> kIpv4 = {"rp_filter", "arp_ignore", "forwarding",
                                                     "src_valid_mark"};
  constexpr std::array<std::string_view, 4> kIpv6 = {"forwarding", "force_forwarding", "accept_ra",
                                                     "disable_ipv6"};
  std::vector<std::string> names = {"all", "default"};
  for (const Link& link : links) {
    if (!is_flag(link.name)) names.push_back(link.name);
  }
  constexpr std::array<std::string_view, 1> kPorts = {"ip_local_port_range"};
  Sysctls sysctls;
  read_values("net/ipv4/", kPorts, sysctls);
  for (const std::string& name : names) {
    read_values("net/ipv4/conf/" + name + "/", kIpv4, sysctls);
    read_values("net/ipv6/conf/" + name + "/", kIpv6, sysctls);
  }
  return sysctls;
}

base::Result<Machine> read_machine() {
  Machine machine;
  const std::int32_t status = read_routing(machine);
  if (status != TUNNEL_OK) return base::Error{status};
  machine.forward_chains = read_forward_chains();
  machine.sysctls = read_sysctls(machine.links);
  return machine;
}

}  // namespace tunnel::host
