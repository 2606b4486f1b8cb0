#include "host/settings/applier.h"

#include <cerrno>
#include <utility>

#include "host/settings/recovery.h"
#include "host/system/system.h"

namespace tunnel::host {
namespace {

bool is_block(const Step& step) noexcept {
  const auto* table = std::get_if<TableStep>(&step);
  return table != nullptr && table->survives;
}

}  // namespace

Applier::Applier(Plan plan) : plan_(std::move(plan)), done_(plan_.steps.size()) {}

std::int32_t Applier::open_journal(const std::string& directory, tunnel_settings_fault& fault) {
  if (journal_) return TUNNEL_ERR_STATE;
  std::string words;
  auto journal = Journal::open(directory, plan_.interface_name, Journal::Missing::made, words);
  if (!journal) {
    put_message(words, fault);
    return journal.status();
  }
  auto tools = Tools::open(plan_.interface_name);
  if (!tools) return tools.status();
  const std::int32_t status = undo_journal(*journal, *tools, Block::kept, fault);
  if (status == TUNNEL_OK) journal_.emplace(std::move(*journal));
  return status;
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

// The interface and what hangs on it are gone with the process.
bool Applier::is_journalled(const Step& step) const {
  if (!journal_ || std::holds_alternative<MtuStep>(step) ||
      std::holds_alternative<AddressStep>(step) || std::holds_alternative<UpStep>(step)) {
    return false;
  }
  const auto* route = std::get_if<RouteStep>(&step);
  return route == nullptr || route->unreachable || route->device != plan_.interface_name;
}

// The record of a table of the same name: what open_journal() has left there is the block.
const Record* Applier::block_left(const Step& step) const {
  const auto* table = std::get_if<TableStep>(&step);
  if (table == nullptr || !journal_) return nullptr;
  for (const Record& record : journal_->live()) {
    const auto* other = std::get_if<TableStep>(&record.step);
    if (other != nullptr && other->name == table->name && record.origin == journal_->here()) {
      return &record;
    }
  }
  return nullptr;
}

Answer Applier::take(Tools& tools, std::size_t index) {
  Done done{settled(tools, plan_.steps[index]), {}};
  const Record* left = block_left(done.step);
  if (left == nullptr) {
    Look found = look(tools, done.step);
    if (found.answer.error != 0 || !found.needed) return found.answer;
    done.before = std::move(found.before);
  }
  const bool journalled = is_journalled(done.step);
  if (is_block(done.step) && !journalled) return {EINVAL, "the block needs a journal"};
  const Answer answer =
      journalled ? take_journalled(tools, done, left) : host::take(tools, done.step);
  if (answer.error == 0) done_[index] = std::move(done);
  return answer;
}

Answer Applier::take_journalled(Tools& tools, Done& done, const Record* left) {
  const std::uint64_t old = left == nullptr ? 0 : left->id;
  const Answer written = journal_->begin(done.step, done.before, done.record);
  if (written.error != 0) return written;
  const Answer answer = host::take(tools, done.step);
  done.replaced = old != 0;
  journal_->end(answer.error == 0 ? old : done.record);
  return answer;
}

std::int32_t Applier::apply(tunnel_settings_fault& fault) {
  auto tools = Tools::open(plan_.interface_name);
  if (!tools) return tools.status();
  if (const std::int32_t status = begin(*tools, fault); status != TUNNEL_OK) return status;
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const Answer answer = take(*tools, i);
    if (answer.error == 0) continue;
    fault.index = i;
    put_fault(plan_.steps[i], plan_.interface_name, answer, fault);
    tunnel_settings_fault ignored{};
    (void)undo(*tools, Why::failed, ignored);
    return status_of(answer.error);
  }
  return TUNNEL_OK;
}

std::int32_t Applier::replace(const TableStep& table, tunnel_settings_fault& fault) {
  auto tools = Tools::open(plan_.interface_name);
  if (!tools) return tools.status();
  for (std::size_t i = 0; i < done_.size(); ++i) {
    auto* planned = std::get_if<TableStep>(&plan_.steps[i]);
    if (!done_[i] || planned == nullptr || planned->name != table.name) continue;
    Done done{table, done_[i]->before};
    const Record* left = block_left(done.step);
    const Answer answer =
        left == nullptr ? host::take(*tools, done.step) : take_journalled(*tools, done, left);
    if (answer.error != 0) {
      fault.index = i;
      put_fault(done.step, plan_.interface_name, answer, fault);
      return status_of(answer.error);
    }
    done.replaced = done_[i]->replaced;
    done_[i] = std::move(done);
    *planned = table;
    return TUNNEL_OK;
  }
  return TUNNEL_ERR_STATE;
}

std::int32_t Applier::undo(tunnel_settings_fault& fault) {
  auto tools = Tools::open(plan_.interface_name);
  return tools ? undo(*tools, Why::asked, fault) : tools.status();
}

std::int32_t Applier::undo(Tools& tools, Why why, tunnel_settings_fault& fault) {
  std::int32_t status = TUNNEL_OK;
  for (std::size_t i = done_.size(); i-- > 0;) {
    if (!done_[i]) continue;
    const Answer answer = undo_one(tools, *done_[i], why);
    if (answer.error == 0) {
      done_[i].reset();
    } else if (status == TUNNEL_OK) {
      fault.index = i;
      put_fault(plan_.steps[i], plan_.interface_name, answer, fault);
      status = status_of(answer.error);
    }
  }
  return status;
}

// The block stays in the journal and in force. But a start that fails takes back what it brought.
Answer Applier::undo_one(Tools& tools, Done& done, Why why) {
  if (is_block(done.step) && (why == Why::asked || done.replaced)) return {};
  const Answer answer = host::undo(tools, done.step, done.before);
  if (answer.error == 0 && done.record != 0) journal_->end(done.record);
  return answer;
}

}  // namespace tunnel::host
