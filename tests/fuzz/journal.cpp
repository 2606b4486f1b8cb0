// journal.cpp — the text of a journal: never a crash, and what is read can be written and read
// again. The input is taken for a step as well, because few inputs come past the checksum.
#include <string>
#include <string_view>

#include "host/settings/settings.h"
#include "input.h"

namespace {

using tunnel::fuzz::expect;
using namespace tunnel::host;

void check(std::string_view text) {
  const JournalText journal = read_journal(text);
  expect(journal.whole <= text.size(), "no more is read than there is");
  std::uint64_t last = 0;
  std::string again;
  for (const Record& record : journal.live) {
    expect(record.id > last, "records stand in order");
    last = record.id;
    expect(!step_text(record.step, "wg0").empty(), "a step can be shown");
    again += write_record(record);
  }
  expect(last <= journal.last_id, "new records come after the old ones");
  const JournalText second = read_journal(again);
  expect(second.damaged == 0 && second.whole == again.size(), "what is written can be read");
  expect(second.live.size() == journal.live.size(), "nothing is lost");
  for (std::size_t i = 0; i < second.live.size(); ++i) {
    expect(same_step(second.live[i].step, journal.live[i].step), "a step stays what it is");
    expect(second.live[i].before == journal.live[i].before, "and what was before it");
  }
}

void check_steps(std::string_view text) {
  const auto step = step_from_json(text);
  if (!step) return;
  expect(step_from_json(step_json(*step)).has_value(), "a step that is read can be written");
  check(write_record({1, {"boot", 2}, std::string(text), *step}) + write_undone(7));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  check(text);
  check_steps(text);
  return 0;
}
