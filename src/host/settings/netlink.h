// netlink.h — requests to the kernel's routing socket (rtnetlink), one at a time.
#pragma once

#include <tunnel/packet.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/base.h"
#include "host/step/step.h"
#include "host/system/system.h"

struct mnl_socket;
struct nlmsghdr;

namespace tunnel::host {

struct LinkState {
  std::uint32_t mtu = 0;
  bool up = false;
};

class Netlink {
 public:
  static base::Result<Netlink> open();

  // State of an interface; nothing when it does not exist.
  std::optional<LinkState> link(std::uint32_t index);

  Answer set_mtu(std::uint32_t index, std::uint32_t mtu);
  Answer set_up(std::uint32_t index, bool up);
  Answer add_address(std::uint32_t index, const tunnel_prefix& address);
  Answer remove_address(std::uint32_t index, const tunnel_prefix& address);
  Answer addresses(std::uint32_t index, std::vector<AddressStep>& found);

  // Routes and rules are added, found and removed with TUNNEL_SETTINGS_PROTOCOL: nobody else's is
  // ever taken for ours. Adding what is there already is EEXIST.
  Answer add_route(const RouteStep& route);
  // Puts it in the place of one with the same prefix, table and no metric, if there is one.
  Answer replace_route(const RouteStep& route);
  Answer remove_route(const RouteStep& route);
  Answer own_routes(std::vector<RouteStep>& routes);
  Answer has_route(const RouteStep& route, bool& found);

  Answer add_rule(const RuleStep& rule);
  Answer remove_rule(const RuleStep& rule);
  Answer own_rules(std::vector<RuleStep>& rules);
  Answer has_rule(const RuleStep& rule, bool& found);
  // What the kernel would choose: just above the second rule.
  std::uint32_t next_priority(std::uint8_t family);

 private:
  using Each = std::function<void(const nlmsghdr*)>;
  using EachRoute = std::function<void(const RouteStep&)>;
  struct Close {
    void operator()(mnl_socket* socket) const noexcept;
  };

  explicit Netlink(mnl_socket* socket) noexcept : socket_(socket) {}
  // `each` is given what precedes the end of the answer.
  Answer ask(nlmsghdr* request, const Each& each = {});
  Answer hear(const Each& each);
  Answer each_rule(std::uint8_t family, const Each& each);
  // `table` 0 = of all tables.
  Answer each_own_route(std::uint8_t family, std::uint32_t table, const EachRoute& each);
  Answer put_route_there(const RouteStep& route, unsigned flags);

  std::unique_ptr<mnl_socket, Close> socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace tunnel::host
