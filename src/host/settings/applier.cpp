#include "host/settings/applier.h"

#include <cerrno>
#include <utility>

#include "host/settings/recovery.h"
#include "host/system/system.h"

namespace tunnel::host {
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
    if (other != nullptr && table_text(*other) == table_text(*table) &&
        record.origin == journal_->here()) {
      return &record;
    }
  }
  return nullptr;
}

Answer Applier::take(Tools& tools, const Step& planned, std::optional<Done>& into) {
  Done done{settled(tools, planned), {}};
  const Record* left = block_left(done.step);
  base::Descriptor turn;
  if (is_journalled(done.step)) turn = turn_for(*journal_, done.step);
  Look found;
  if (left == nullptr) found = look(tools, done.step);
  if (found.answer.error != 0 || !(found.needed || is_shared(done.step, found))) {
    return found.answer;
  }
  done.before = std::move(found.before);
  if (is_block(done.step) && !is_journalled(done.step)) {
    return {EINVAL, "the block needs a journal"};
  }
  done.replaced = left != nullptr;
  const Answer answer = take_journalled(done, left == nullptr ? 0 : left->id, [&] {
    return found.needed ? host::take(tools, done.step, done.before) : Answer{};
  });
  if (answer.error != 0) {
    give_up(tools, done, answer);
    return answer;
  }
  done.seen = sight(tools, done.step);
  into = std::move(done);
  return answer;
}

// What is so already may be so through another tunnel, and then until the last of us ends.
bool Applier::is_shared(const Step& step, Look& found) const {
  if (!is_journalled(step)) return false;
  auto before = before_of_others(*journal_, step);
  if (before) found.before = *std::move(before);
  return before.has_value();
}

template <class Make>
Answer Applier::take_journalled(Done& done, std::uint64_t old, Make&& make) {
  if (!is_journalled(done.step)) return make();
  const Answer written = journal_->begin(done.step, done.before, done.record);
  if (written.error != 0) return written;
  const Answer answer = make();
  if (answer.error == 0) {
    journal_->end(old);
  } else if (old != 0) {  // in force as before, which has a record of its own
    journal_->end(done.record);
  }
  return answer;
}

// A step that failed may be half done. What cannot be taken back now stays in the journal.
void Applier::give_up(Tools& tools, const Done& done, const Answer& why) {
  const bool unwritten = is_journalled(done.step) && done.record == 0;  // then it was not begun
  if (unwritten || done.replaced) return;
  // What was there already is somebody else's.
  const Answer undone = why.error == EEXIST ? Answer{} : host::undo(tools, done.step, done.before);
  if (undone.error == 0 && done.record != 0) journal_->end(done.record);
}

std::int32_t Applier::apply(tunnel_settings_fault& fault) {
  auto tools = Tools::open(plan_.interface_name);
  if (!tools) return tools.status();
  if (const std::int32_t status = begin(*tools, fault); status != TUNNEL_OK) return status;
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const Answer answer = take(*tools, plan_.steps[i], done_[i]);
    if (answer.error == 0) continue;
    fault.index = i;
    put_fault(plan_.steps[i], plan_.interface_name, answer, fault);
    tunnel_settings_fault ignored{};
    (void)undo(*tools, Why::failed, ignored);
    return status_of(answer.error);
  }
  in_force_ = true;
  return TUNNEL_OK;
}

// ---- what refresh.cpp needs

// The table of ours that somebody altered is simply replaced; all else is looked at as the first
// time, because what was there before may be another now.
Answer Applier::take_again(Tools& tools, Done& done) {
  Done fresh = done;
  if (!std::holds_alternative<TableStep>(done.step)) {
    Look found = look(tools, done.step);
    if (found.answer.error != 0) return found.answer;
    fresh.before = std::move(found.before);
  }
  const Answer answer = take_journalled(
      fresh, done.record, [&] { return host::take(tools, fresh.step, fresh.before); });
  if (answer.error != 0) return answer;
  fresh.seen = sight(tools, fresh.step);
  done = std::move(fresh);
  return answer;
}

Answer Applier::take_instead(Tools& tools, const Done& now, const Step& wanted,
                             std::optional<Done>& into) {
  Done fresh{wanted, now.before};
  fresh.replaced = now.replaced;
  const Answer answer =
      take_journalled(fresh, now.record, [&] { return swap_steps(tools, now.step, wanted); });
  if (answer.error != 0) return answer;
  fresh.seen = sight(tools, wanted);
  into = std::move(fresh);
  return answer;
}

std::int32_t Applier::undo(tunnel_settings_fault& fault) {
  in_force_ = false;
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

// The block stays in the journal and in force. But a start that fails takes back what it brought,
// and one that was lifted leaves no record.
Answer Applier::undo_one(Tools& tools, Done& done, Why why) {
  const bool stays = why == Why::asked || (why == Why::failed && done.replaced);
  if (is_block(done.step) && stays) return {};
  if (done.record == 0) return host::undo(tools, done.step, done.before);
  return undo_record(*journal_, tools, {done.record, journal_->here(), done.before, done.step});
}

}  // namespace tunnel::host
