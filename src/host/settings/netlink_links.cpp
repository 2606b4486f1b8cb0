// netlink_links.cpp — an interface and its addresses.
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>

#include "host/settings/netlink.h"
#include "host/settings/netlink_message.h"

namespace tunnel::host {
namespace {

ifinfomsg& link_header(Message& message, std::uint32_t index) {
  auto& link = message.extra<ifinfomsg>();
  link.ifi_family = AF_UNSPEC;
  link.ifi_index = static_cast<int>(index);
  return link;
}

void put_address(Message& message, std::uint32_t index, const tunnel_prefix& address) {
  auto& header = message.extra<ifaddrmsg>();
  header.ifa_family = system_family(address.family);
  header.ifa_prefixlen = address.length;
  header.ifa_index = index;
  // A tunnel's address has no neighbours to be asked about it. Until the kernel had found that out
  // by itself, a moment later, no program could bind to it.
  if (address.family == TUNNEL_FAMILY_IPV6) header.ifa_flags = IFA_F_NODAD;
  message.address(IFA_LOCAL, address);
  message.address(IFA_ADDRESS, address);
}

void read_link(const nlmsghdr* message, LinkState& link) {
  if (message->nlmsg_type != RTM_NEWLINK) return;
  const auto* header = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
  link.up = (header->ifi_flags & IFF_UP) != 0;
  link.mtu = Attributes<IFLA_MAX>(message, sizeof(ifinfomsg)).number(IFLA_MTU, 0);
}

}  // namespace

std::optional<LinkState> Netlink::link(std::uint32_t index) {
  Message message(RTM_GETLINK, NLM_F_ACK);
  link_header(message, index);
  LinkState state;
  const auto read = [&state](const nlmsghdr* answer) { read_link(answer, state); };
  if (ask(message.header(), read).error != 0) return std::nullopt;
  return state;
}

Answer Netlink::set_mtu(std::uint32_t index, std::uint32_t mtu) {
  Message message(RTM_NEWLINK, NLM_F_ACK);
  link_header(message, index);
  message.number(IFLA_MTU, mtu);
  return ask(message.header());
}

Answer Netlink::set_up(std::uint32_t index, bool up) {
  Message message(RTM_NEWLINK, NLM_F_ACK);
  ifinfomsg& link = link_header(message, index);
  link.ifi_change = IFF_UP;
  link.ifi_flags = up ? IFF_UP : 0;
  return ask(message.header());
}

Answer Netlink::add_address(std::uint32_t index, const tunnel_prefix& address) {
  Message message(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
  put_address(message, index, address);
  return ask(message.header());
}

Answer Netlink::remove_address(std::uint32_t index, const tunnel_prefix& address) {
  Message message(RTM_DELADDR, NLM_F_ACK);
  put_address(message, index, address);
  return ask(message.header());
}

Answer Netlink::addresses(std::uint32_t index, std::vector<AddressStep>& found) {
  Message message(RTM_GETADDR, NLM_F_DUMP);
  message.extra<ifaddrmsg>().ifa_family = AF_UNSPEC;
  return ask(message.header(), [&](const nlmsghdr* answer) {
    const auto* header = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(answer));
    if (answer->nlmsg_type != RTM_NEWADDR || header->ifa_index != index) return;
    const Attributes<IFA_MAX> attributes(answer, sizeof(ifaddrmsg));
    const nlattr* local = attributes[IFA_LOCAL];
    AddressStep step{{our_family(header->ifa_family), header->ifa_prefixlen, 0, 0, {}}};
    copy_bytes(local != nullptr ? local : attributes[IFA_ADDRESS], step.address);
    found.push_back(step);
  });
}

}  // namespace tunnel::host
