#include "host/dns/tool.h"

#include <cerrno>

#include "host/dns/program.h"
#include "host/system/system.h"

namespace tunnel::host::dns {
namespace {

std::string line_of(const std::vector<std::string>& command) {
  std::string line;
  for (const std::string& word : command) line += line.empty() ? word : " " + word;
  return line;
}

}  // namespace

Answer run_tool(const std::vector<std::string>& command, std::string_view input) {
  const ProgramResult result = run_program(command, input);
  if (result.ok()) return {};
  std::string words = line_of(command) + ": ";
  words +=
      result.error != 0 ? text_of(result.error) : "exit status " + std::to_string(result.status);
  if (!result.output.empty()) words += " (" + result.output + ")";
  return {result.error != 0 ? result.error : EIO, words};
}

}  // namespace tunnel::host::dns
