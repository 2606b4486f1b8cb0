#include "host/settings/recovery.h"

#include <algorithm>
#include <vector>

namespace tunnel::host {
namespace {

// What is to be done about a record.
enum class Fate : std::uint8_t { undo, forget, leave };

Fate fate_of(const Record& record, const Origin& here, Block block, Tools& tools) {
  if (record.origin.boot != here.boot) {
    return outlives_boot(record.step) ? Fate::undo : Fate::forget;
  }
  if (record.origin.network != here.network) return Fate::leave;
  if (!is_block(record.step) || block == Block::lifted) return Fate::undo;
  // Whoever was killed before he made it, or lost it to a flush, left nothing to be kept.
  return is_in_force(tools, record.step, record.before) ? Fate::leave : Fate::forget;
}

// A table's text has many lines.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

void put_message(std::string_view text, tunnel_settings_fault& fault) noexcept {
  const std::size_t size = std::min(text.size(), sizeof(fault.message) - 1);
  std::copy_n(text.data(), size, fault.message);
  fault.message[size] = '\0';
}

void put_fault(const Step& step, const std::string& interface_name, const Answer& answer,
               tunnel_settings_fault& fault) {
  fault.system = answer.error;
  std::string text = first_line(step_text(step, interface_name)) + ": " + text_of(answer.error);
  if (!answer.words.empty()) text += " (" + answer.words + ")";
  put_message(text, fault);
}

base::Descriptor turn_for(const Journal& journal, const Step& step) {
  return std::holds_alternative<SysctlStep>(step) ? journal.turn() : base::Descriptor();
}

std::optional<std::string> before_of_others(const Journal& journal, const Step& step) {
  const auto* wanted = std::get_if<SysctlStep>(&step);
  if (wanted == nullptr) return std::nullopt;
  for (Record& record : journal.others()) {
    const auto* other = std::get_if<SysctlStep>(&record.step);
    if (other == nullptr || other->name != wanted->name || other->value != wanted->value) continue;
    return std::move(record.before);
  }
  return std::nullopt;
}

Answer undo_record(Journal& journal, Tools& tools, const Record& record) {
  // Two that end at the same time must not leave it to each other.
  const base::Descriptor turn = turn_for(journal, record.step);
  const bool shared = before_of_others(journal, record.step).has_value();
  const Answer answer = shared ? Answer{} : undo(tools, record.step, record.before);
  if (answer.error == 0) journal.end(record.id);
  return answer;
}

std::int32_t undo_journal(Journal& journal, Tools& tools, Block block,
                          tunnel_settings_fault& fault) {
  std::int32_t status = TUNNEL_OK;
  const std::vector<Record> records = journal.live();
  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    const Fate fate = fate_of(*record, journal.here(), block, tools);
    if (fate == Fate::leave) continue;
    if (fate == Fate::forget) journal.end(record->id);
    const Answer answer = fate == Fate::undo ? undo_record(journal, tools, *record) : Answer{};
    if (answer.error != 0 && status == TUNNEL_OK) {
      put_fault(record->step, "", answer, fault);
      status = status_of(answer.error);
    }
  }
  return status;
}

std::int32_t clean_up(const std::string& directory, const std::string& name, Block block,
                      tunnel_settings_fault& fault) {
  std::string words;
  auto journal = Journal::open(directory, name, Journal::Missing::error, words);
  if (journal.status() == TUNNEL_ERR_NOT_FOUND) return TUNNEL_OK;
  if (!journal) {
    put_message(words, fault);
    return journal.status();
  }
  auto tools = Tools::open(name);
  if (!tools) return tools.status();
  const std::int32_t status = undo_journal(*journal, *tools, block, fault);
  if (status != TUNNEL_OK || journal->damaged() == 0) return status;
  put_message(std::to_string(journal->damaged()) + " lines of " + name + ".journal were damaged",
              fault);
  return TUNNEL_ERR_SYSTEM;
}

}  // namespace tunnel::host
