// netlink_routes.cpp — routes, in any table.
#include <net/if.h>
#include <tunnel/host/settings.h>

#include <array>
#include <cerrno>
#include <string>

#include "host/settings/netlink.h"
#include "host/settings/netlink_message.h"

namespace tunnel::host {
namespace {

std::uint8_t scope_of(const RouteStep& route) noexcept {
  const bool on_link =
      !route.unreachable && !route.gateway && route.prefix.family == TUNNEL_FAMILY_IPV4;
  return on_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

// Fills the request; false when the device is not there.
bool put_route(Message& message, const RouteStep& route) {
  auto& header = message.extra<rtmsg>();
  header.rtm_family = system_family(route.prefix.family);
  header.rtm_dst_len = route.prefix.length;
  header.rtm_table = RT_TABLE_UNSPEC;
  header.rtm_protocol = TUNNEL_SETTINGS_PROTOCOL;
  header.rtm_scope = scope_of(route);
  header.rtm_type = route.unreachable ? RTN_UNREACHABLE : RTN_UNICAST;
  message.address(RTA_DST, route.prefix);
  message.number(RTA_TABLE, route.table);
  if (route.gateway) message.address(RTA_GATEWAY, *route.gateway);
  if (route.unreachable) return true;
  const unsigned index = ::if_nametoindex(route.device.c_str());
  message.number(RTA_OIF, index);
  return index != 0;
}

std::string link_name(std::uint32_t index) {
  std::array<char, IF_NAMESIZE> name{};
  return ::if_indextoname(index, name.data()) == nullptr ? std::string() : name.data();
}

// Nothing when the route is not one that we make.
std::optional<RouteStep> own_route(const nlmsghdr* message) {
  const auto* header = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(message));
  const bool ours = message->nlmsg_type == RTM_NEWROUTE &&
                    header->rtm_protocol == TUNNEL_SETTINGS_PROTOCOL &&
                    (header->rtm_type == RTN_UNREACHABLE || header->rtm_type == RTN_UNICAST);
  if (!ours) return {};
  const Attributes<RTA_MAX> attributes(message, sizeof(rtmsg));
  RouteStep route;
  route.prefix = {our_family(header->rtm_family), header->rtm_dst_len, 0, 0, {}};
  copy_bytes(attributes[RTA_DST], route.prefix);
  route.table = attributes.number(RTA_TABLE, header->rtm_table);
  route.unreachable = header->rtm_type == RTN_UNREACHABLE;
  if (!route.unreachable) route.device = link_name(attributes.number(RTA_OIF, 0));
  if (attributes[RTA_GATEWAY] != nullptr) {
    route.gateway = tunnel_address{route.prefix.family, 0, 0, 0, {}};
    copy_bytes(attributes[RTA_GATEWAY], *route.gateway);
  }
  return route;
}

}  // namespace

Answer Netlink::add_route(const RouteStep& route) {
  return put_route_there(route, NLM_F_CREATE | NLM_F_EXCL);
}

Answer Netlink::replace_route(const RouteStep& route) {
  return put_route_there(route, NLM_F_CREATE | NLM_F_REPLACE);
}

Answer Netlink::put_route_there(const RouteStep& route, unsigned flags) {
  Message message(RTM_NEWROUTE, NLM_F_ACK | flags);
  if (!put_route(message, route)) return {ENODEV, {}};
  return ask(message.header());
}

Answer Netlink::remove_route(const RouteStep& route) {
  Message message(RTM_DELROUTE, NLM_F_ACK);
  if (!put_route(message, route)) return {ENODEV, {}};
  return ask(message.header());
}

Answer Netlink::each_own_route(std::uint8_t family, std::uint32_t table, const EachRoute& each) {
  Message message(RTM_GETROUTE, NLM_F_DUMP);
  auto& header = message.extra<rtmsg>();
  header.rtm_family = system_family(family);
  header.rtm_protocol = TUNNEL_SETTINGS_PROTOCOL;
  if (table != 0) message.number(RTA_TABLE, table);
  const Answer answer = ask(message.header(), [&](const nlmsghdr* one) {
    if (const auto route = own_route(one)) each(*route);
  });
  if (answer.error == ENOENT) return {};  // there is no such table yet
  return answer;
}

Answer Netlink::has_route(const RouteStep& route, bool& found) {
  found = false;
  return each_own_route(route.prefix.family, route.table,
                        [&](const RouteStep& each) { found = found || same_step(each, route); });
}

Answer Netlink::own_routes(std::vector<RouteStep>& routes) {
  Answer answer;
  for (const std::uint8_t family : kFamilies) {
    if (answer.error != 0) return answer;
    answer = each_own_route(family, 0, [&](const RouteStep& each) { routes.push_back(each); });
  }
  return answer;
}

}  // namespace tunnel::host
