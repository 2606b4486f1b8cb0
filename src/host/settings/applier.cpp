#include "host/settings/applier.h"

#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "host/system/system.h"

namespace tunnel::host {
namespace {

// What is no longer there needs no undoing.
bool is_gone(int error) noexcept {
  return error == ENODEV || error == ESRCH || error == EADDRNOTAVAIL || error == ENXIO;
}

void put_message(std::string_view text, tunnel_settings_fault& fault) noexcept {
  const std::size_t size = std::min(text.size(), sizeof(fault.message) - 1);
  std::copy_n(text.data(), size, fault.message);
  fault.message[size] = '\0';
}

}  // namespace

Applier::Applier(Plan plan) : plan_(std::move(plan)), done_(plan_.steps.size()) {}

void Applier::report(std::size_t index, const Answer& answer, tunnel_settings_fault& fault) const {
  fault.system = answer.error;
  fault.index = index;
  std::string text = step_text(plan_.steps[index], plan_.interface_name);
  text += ": " + text_of(answer.error);
  if (!answer.words.empty()) text += " (" + answer.words + ")";
  put_message(text, fault);
}

std::int32_t Applier::begin(tunnel_settings_fault& fault) {
  if (std::find(done_.begin(), done_.end(), true) != done_.end()) return TUNNEL_ERR_STATE;
  index_ = ::if_nametoindex(plan_.interface_name.c_str());
  if (index_ != 0) return TUNNEL_OK;
  fault.system = ENODEV;
  put_message("there is no interface " + plan_.interface_name, fault);
  return TUNNEL_ERR_NOT_FOUND;
}

// Makes one change; nothing when it is so already, and therefore not ours to undo.
std::optional<Answer> Applier::change(Netlink& netlink, const Step& step) {
  switch (step.kind) {
    case TUNNEL_SETTING_MTU:
      if (before_.mtu == step.value) return std::nullopt;
      return netlink.set_mtu(index_, step.value);
    case TUNNEL_SETTING_ADDRESS:
      return netlink.add_address(index_, step.prefix);
    case TUNNEL_SETTING_ROUTE:
      return netlink.add_route(index_, step.prefix);
    default:
      if (before_.up) return std::nullopt;
      return netlink.set_up(index_, true);
  }
}

Answer Applier::revert(Netlink& netlink, const Step& step) {
  switch (step.kind) {
    case TUNNEL_SETTING_MTU: {
      const auto now = netlink.link(index_);
      // Somebody else's value is not ours to change.
      if (!now || now->mtu != step.value) return {};
      return netlink.set_mtu(index_, before_.mtu);
    }
    case TUNNEL_SETTING_ADDRESS:
      return netlink.remove_address(index_, step.prefix);
    case TUNNEL_SETTING_ROUTE:
      return netlink.remove_route(index_, step.prefix);
    default:
      return netlink.set_up(index_, false);
  }
}

std::int32_t Applier::apply(tunnel_settings_fault& fault) {
  if (const std::int32_t status = begin(fault); status != TUNNEL_OK) return status;
  auto netlink = Netlink::open();
  if (!netlink) return netlink.status();
  before_ = netlink->link(index_).value_or(LinkState{});
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const auto answer = change(*netlink, plan_.steps[i]);
    if (!answer) continue;
    done_[i] = answer->error == 0;
    if (done_[i]) continue;
    report(i, *answer, fault);
    tunnel_settings_fault ignored{};
    (void)undo(ignored);
    return status_of(answer->error);
  }
  return TUNNEL_OK;
}

std::int32_t Applier::undo(tunnel_settings_fault& fault) {
  auto netlink = Netlink::open();
  if (!netlink) return netlink.status();
  std::int32_t status = TUNNEL_OK;
  for (std::size_t i = plan_.steps.size(); i-- > 0;) {
    if (!done_[i]) continue;
    const Answer answer = revert(*netlink, plan_.steps[i]);
    done_[i] = answer.error != 0 && !is_gone(answer.error);
    if (!done_[i] || status != TUNNEL_OK) continue;
    report(i, answer, fault);
    status = status_of(answer.error);
  }
  return status;
}

}  // namespace tunnel::host
