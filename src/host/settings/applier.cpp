#include "host/settings/applier.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "host/system/system.h"

namespace tunnel::host {
namespace {

void put_message(std::string_view text, tunnel_settings_fault& fault) noexcept {
  const std::size_t size = std::min(text.size(), sizeof(fault.message) - 1);
  std::copy_n(text.data(), size, fault.message);
  fault.message[size] = '\0';
}

// A table's text has many lines; its name is on the second.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

Applier::Applier(Plan plan) : plan_(std::move(plan)), done_(plan_.steps.size()) {}

void Applier::report(std::size_t index, const Answer& answer, tunnel_settings_fault& fault) const {
  fault.system = answer.error;
  fault.index = index;
  std::string text = first_line(step_text(plan_.steps[index], plan_.interface_name));
  text += ": " + text_of(answer.error);
  if (!answer.words.empty()) text += " (" + answer.words + ")";
  put_message(text, fault);
}

std::int32_t Applier::begin(const Tools& tools, tunnel_settings_fault& fault) const {
  for (const auto& done : done_) {
    if (done) return TUNNEL_ERR_STATE;
  }
  if (tools.index != 0) return TUNNEL_OK;
  fault.system = ENODEV;
  put_message("there is no interface " + plan_.interface_name, fault);
  return TUNNEL_ERR_NOT_FOUND;
}

Answer Applier::take(Tools& tools, std::size_t index) {
  const Step step = settled(tools, plan_.steps[index]);
  const Look found = look(tools, step);
  if (found.answer.error != 0 || !found.needed) return found.answer;
  const Answer answer = host::take(tools, step);
  if (answer.error == 0) done_[index] = Done{step, found.before};
  return answer;
}

std::int32_t Applier::apply(tunnel_settings_fault& fault) {
  auto tools = Tools::open(plan_.interface_name);
  if (!tools) return tools.status();
  if (const std::int32_t status = begin(*tools, fault); status != TUNNEL_OK) return status;
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const Answer answer = take(*tools, i);
    if (answer.error == 0) continue;
    report(i, answer, fault);
    tunnel_settings_fault ignored{};
    (void)undo(ignored);
    return status_of(answer.error);
  }
  return TUNNEL_OK;
}

std::int32_t Applier::undo(tunnel_settings_fault& fault) {
  auto tools = Tools::open(plan_.interface_name);
  if (!tools) return tools.status();
  std::int32_t status = TUNNEL_OK;
  for (std::size_t i = done_.size(); i-- > 0;) {
    if (!done_[i]) continue;
    const Answer answer = host::undo(*tools, done_[i]->step, done_[i]->before);
    if (answer.error == 0) {
      done_[i].reset();
    } else if (status == TUNNEL_OK) {
      report(i, answer, fault);
      status = status_of(answer.error);
    }
  }
  return status;
}

}  // namespace tunnel::host
