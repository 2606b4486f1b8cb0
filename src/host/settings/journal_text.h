// journal_text.h — what stands in a journal: one line for each step taken, one when it is undone.
//
//   CHECKSUM do ID BOOT NETWORK =BEFORE STEP
//   CHECKSUM undone ID
//
// Lines are only ever appended. The last one may be torn by a power cut; then its step was not
// taken, because a line is on disk before its step begins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/step/step.h"

namespace tunnel::host {

// Where and when steps were taken: what was done in another network namespace, or before the
// machine was started anew, is not there to be undone.
struct Origin {
  std::string boot;           // the kernel's boot id
  std::uint64_t network = 0;  // cookie of the network namespace, never used twice

  bool operator==(const Origin&) const = default;
};

struct Record {
  std::uint64_t id;
  Origin origin;
  std::string before;
  Step step;
};

struct JournalText {
  std::vector<Record> live;  // not undone, in the order in which they were taken
  std::uint64_t last_id = 0;
  std::size_t damaged = 0;  // whole lines that cannot be read
  std::size_t whole = 0;    // bytes up to the end of the last whole line
};

JournalText read_journal(std::string_view text);

// With newline.
std::string write_record(const Record& record);
std::string write_undone(std::uint64_t id);

}  // namespace tunnel::host
