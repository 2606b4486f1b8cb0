// grammar.h - how the parts of the command line are put together: each adds its commands to the
// parser. What a command's options fill in lives as long as the parser.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "output.h"

namespace simplevpn {

using Command = std::function<int()>;

struct Grammar {
  CLI::App& app;
  const Output& output;  // complete when a command runs
  // Adds a command that runs `command` when it is chosen.
  std::function<CLI::App*(CLI::App& parent, const char* name, const char* purpose, Command command)>
      add;
};

void add_query_commands(const Grammar& grammar);  // status, events, doctor, completion
void add_peer_commands(const Grammar& grammar);   // peer add, rm, rename, list

// A flag that may have a number of seconds: --watch, --watch=5, but not "--watch 5", whose 5 would
// be the name of a tunnel. The parser rounds numbers of flags, so this one is a text to it.
CLI::Option* add_seconds(CLI::App& command, const char* name, std::string& seconds,
                         const char* purpose);
[[nodiscard]] double number_of(const std::string& seconds);  // 0 when it was not given

}  // namespace simplevpn
