// netlink_routes.cpp — routes, in any table.
#include <net/if.h>
#include <tunnel/host/settings.h>

#include <cerrno>

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

bool is_route(const nlmsghdr* message, const RouteStep& route) {
  if (message->nlmsg_type != RTM_NEWROUTE) return false;
  const auto* header = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(message));
  const Attributes<RTA_MAX> attributes(message, sizeof(rtmsg));
  const unsigned device = route.unreachable ? 0 : ::if_nametoindex(route.device.c_str());
  const tunnel_address none{route.prefix.family, 0, 0, 0, {}};
  return header->rtm_protocol == TUNNEL_SETTINGS_PROTOCOL &&
         header->rtm_type == (route.unreachable ? RTN_UNREACHABLE : RTN_UNICAST) &&
         header->rtm_dst_len == route.prefix.length &&
         attributes.number(RTA_TABLE, header->rtm_table) == route.table &&
         has_bytes(attributes[RTA_DST], route.prefix) &&
         has_bytes(attributes[RTA_GATEWAY], route.gateway.value_or(none)) &&
         (route.unreachable || attributes.number(RTA_OIF, 0) == device);
}

}  // namespace

Answer Netlink::add_route(const RouteStep& route) {
  Message message(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
  if (!put_route(message, route)) return {ENODEV, {}};
  return ask(message.header());
}

Answer Netlink::remove_route(const RouteStep& route) {
  Message message(RTM_DELROUTE, NLM_F_ACK);
  if (!put_route(message, route)) return {ENODEV, {}};
  return ask(message.header());
}

Answer Netlink::has_route(const RouteStep& route, bool& found) {
  found = false;
  Message message(RTM_GETROUTE, NLM_F_DUMP);
  auto& header = message.extra<rtmsg>();
  header.rtm_family = system_family(route.prefix.family);
  header.rtm_protocol = TUNNEL_SETTINGS_PROTOCOL;
  message.number(RTA_TABLE, route.table);
  const Answer answer =
      ask(message.header(), [&](const nlmsghdr* each) { found = found || is_route(each, route); });
  if (answer.error == ENOENT) return {};  // there is no such table yet
  return answer;
}

}  // namespace tunnel::host
