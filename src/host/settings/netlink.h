// netlink.h — requests to the kernel's routing socket (rtnetlink), one at a time.
#pragma once

#include <tunnel/packet.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/base.h"

struct mnl_socket;
struct nlmsghdr;

namespace tunnel::host {

// What the kernel said to a request.
struct Answer {
  int error = 0;      // errno, 0 = done
  std::string words;  // the kernel's own explanation, where it gave one
};

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
  // Routes are in table main, carry TUNNEL_SETTINGS_PROTOCOL, and name the interface.
  Answer add_route(std::uint32_t index, const tunnel_prefix& prefix);
  Answer remove_route(std::uint32_t index, const tunnel_prefix& prefix);

 private:
  struct Close {
    void operator()(mnl_socket* socket) const noexcept;
  };

  explicit Netlink(mnl_socket* socket) noexcept : socket_(socket) {}
  Answer ask(nlmsghdr* request, LinkState* link = nullptr);
  Answer hear(LinkState* link);

  std::unique_ptr<mnl_socket, Close> socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace tunnel::host
