// output.h - how a command ends: its exit status, and its error on standard error.
//
// Data goes to standard output, everything else to standard error. With --json an error is one
// JSON object on one line, for programs; otherwise a sentence and a hint, for people.
#pragma once

#include <cstdint>
#include <string>

#include <tunnel/host/config.h>

namespace simplevpn {

// The numbers are part of the interface (docs/cli.md).
constexpr int kOk = 0;
constexpr int kFailure = 1;
constexpr int kUsage = 2;         // wrong arguments or configuration; nothing was changed
constexpr int kTimeout = 3;       // no answer in time
constexpr int kActivation = 4;    // could not come up; everything was rolled back
constexpr int kDeactivation = 5;  // could not be undone completely
constexpr int kPermission = 6;    // the hint is the exact fix
constexpr int kCheckFailed = 7;   // what was to be shown did not hold
constexpr int kNotRunning = 8;    // no daemon of that name
constexpr int kNoSuch = 10;       // no such tunnel configuration
constexpr int kInterrupted = 130;

struct Failure {
  int exit = kFailure;
  std::string code;  // "E_CONF_SYNTAX": stable, for programs
  std::string message;
  std::string hint;
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string excerpt;  // for people: position, line, caret and hint, ready to print
};

struct Output {
  bool json = false;
  bool color = false;   // on standard output
  bool quiet = false;   // no advice, only errors
  std::string command;  // as typed, quoted for a shell: what "run it as root" repeats
};

// Prints the failure and returns its exit status.
[[nodiscard]] int fail(const Output& output, const Failure& failure);

// Wrong arguments: exit 2.
[[nodiscard]] Failure usage_failure(const std::string& message, const std::string& hint);

// A failure from a status of the library; `doing` completes "cannot ...". A refusal for lack of
// privileges becomes exit 6 with the command that would work, or with the capability that root
// lacks; anything else exits with `exit`.
[[nodiscard]] Failure status_failure(const Output& output, std::int32_t status,
                                     const std::string& doing, int exit);

// The same of a file, which `doing` names. What root lacks there is no capability for the network.
[[nodiscard]] Failure file_failure(const Output& output, std::int32_t status,
                                   const std::string& doing, int exit);

// The failure that a configuration file caused.
[[nodiscard]] Failure config_failure(const Output& output, std::int32_t status,
                                     const std::string& file, const tunnel_config_issue& issue);

// Advice for people on standard error; printf-like texts are made by the caller.
void advise(const Output& output, const std::string& text);

}  // namespace simplevpn
