// program.h — runs a program of the system: no shell, a clean environment, a time limit.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace tunnel::host::dns {

struct ProgramResult {
  int error = 0;       // errno when it could not be run to its end; ETIMEDOUT: it was killed
  int status = 0;      // exit status, or 128 + the signal that ended it
  std::string output;  // what it wrote to standard output and error, the first 4 KiB

  bool ok() const noexcept { return error == 0 && status == 0; }
};

constexpr std::chrono::seconds kProgramLimit{10};

// Absolute path of a program, "" when there is none. Searches PATH, then where system tools lie.
std::string find_program(const std::string& name);

// Runs `command` to its end, `input` (at most 64 KiB) as its standard input. The program sees PATH
// and LC_ALL=C, nothing else of our environment, and has no signal blocked or ignored.
ProgramResult run_program(const std::vector<std::string>& command, std::string_view input = {},
                          std::chrono::milliseconds limit = kProgramLimit);

}  // namespace tunnel::host::dns
