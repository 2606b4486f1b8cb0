// link_changes.cpp — the tunnel's interface: MTU, addresses, up.
#include <cerrno>
#include <charconv>

#include "host/settings/changes.h"

namespace tunnel::host {
namespace {

constexpr Answer no_interface() {
  return {ENODEV, {}};
}

}  // namespace

Look look_at(Tools& tools, const MtuStep& step) {
  const auto now = tools.netlink.link(tools.index);
  if (!now) return {no_interface()};
  return {{}, now->mtu != step.mtu, std::to_string(now->mtu)};
}

Answer change(Tools& tools, const MtuStep& step, const std::string&) {
  return tools.netlink.set_mtu(tools.index, step.mtu);
}

Answer restore(Tools& tools, const MtuStep& step, const std::string& before) {
  const auto now = tools.netlink.link(tools.index);
  if (!now || now->mtu != step.mtu) return {};
  std::uint32_t mtu = 0;
  std::from_chars(before.data(), before.data() + before.size(), mtu);
  return tools.netlink.set_mtu(tools.index, mtu);
}

Look look_at(Tools& tools, const AddressStep&) {
  return {tools.index == 0 ? no_interface() : Answer{}};
}

Answer change(Tools& tools, const AddressStep& step, const std::string&) {
  return tools.netlink.add_address(tools.index, step.address);
}

Answer restore(Tools& tools, const AddressStep& step, const std::string&) {
  return tools.netlink.remove_address(tools.index, step.address);
}

Look look_at(Tools& tools, const UpStep&) {
  const auto now = tools.netlink.link(tools.index);
  return {now ? Answer{} : no_interface(), !now || !now->up};
}

Answer change(Tools& tools, const UpStep&, const std::string&) {
  return tools.netlink.set_up(tools.index, true);
}

Answer restore(Tools& tools, const UpStep&, const std::string&) {
  return tools.netlink.set_up(tools.index, false);
}

}  // namespace tunnel::host
