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

}  // namespace simplevpn
