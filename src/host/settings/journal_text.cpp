#include "host/settings/journal_text.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "host/system/system.h"

namespace tunnel::host {
namespace {

constexpr std::size_t kChecksumDigits = 8;

// FNV-1a: against rot and torn writes, not against people; those cannot write here.
std::uint32_t checksum(std::string_view text) noexcept {
  std::uint32_t sum = 2166136261u;
  for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 16777619u;
  return sum;
}

std::string hexadecimal(std::uint32_t number, std::size_t digits) {
  std::string text(digits, '0');
  for (std::size_t i = digits; i-- > 0; number >>= 4) text[i] = "0123456789abcdef"[number & 15];
  return text;
}

template <class Number>
bool read_number(std::string_view text, Number& number, int base = 10) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number, base);
  return !text.empty() && result.ec == std::errc() && result.ptr == end;
}

std::string sealed(const std::string& line) {
  return hexadecimal(checksum(line), kChecksumDigits) + " " + line + "\n";
}

bool open_seal(std::string_view& line) {
  std::uint32_t sum = 0;
  const std::string_view word = next_word(line);
  return word.size() == kChecksumDigits && read_number(word, sum, 16) && sum == checksum(line);
}

std::optional<Record> read_record(std::string_view line) {
  Record record{};
  if (!read_number(next_word(line), record.id)) return std::nullopt;
  record.origin.boot = next_word(line);
  if (!read_number(next_word(line), record.origin.network)) return std::nullopt;
  auto before = from_word(next_word(line));
  auto step = step_from_json(line);
  if (record.origin.boot.empty() || !before || !step) return std::nullopt;
  record.before = *std::move(before);
  record.step = *std::move(step);
  return record;
}

bool read_undone(std::string_view id_text, JournalText& journal) {
  std::uint64_t id = 0;
  if (!read_number(id_text, id)) return false;
  const auto found = std::find_if(journal.live.begin(), journal.live.end(),
                                  [id](const Record& each) { return each.id == id; });
  if (found != journal.live.end()) journal.live.erase(found);  // else its line was damaged
  return true;
}

bool read_line(std::string_view line, JournalText& journal) {
  if (!open_seal(line)) return false;
  const std::string_view verb = next_word(line);
  if (verb == "undone") return read_undone(line, journal);
  if (verb != "do") return false;
  auto record = read_record(line);
  if (!record || record->id <= journal.last_id) return false;
  journal.last_id = record->id;
  journal.live.push_back(*std::move(record));
  return true;
}

}  // namespace

JournalText read_journal(std::string_view text) {
  JournalText journal;
  for (;;) {
    const std::size_t end = text.find('\n', journal.whole);
    if (end == text.npos) return journal;
    if (!read_line(text.substr(journal.whole, end - journal.whole), journal)) ++journal.damaged;
    journal.whole = end + 1;
  }
}

std::string write_record(const Record& record) {
  return sealed("do " + std::to_string(record.id) + " " + record.origin.boot + " " +
                std::to_string(record.origin.network) + " " + to_word(record.before) + " " +
                step_json(record.step));
}

std::string write_undone(std::uint64_t id) {
  return sealed("undone " + std::to_string(id));
}

}  // namespace tunnel::host
