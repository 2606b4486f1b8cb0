// issue.h — makes the errors and warnings about a line of a file: place, words, and the line as it
// may be shown. Key material is never copied into an issue.
#pragma once

#include <tunnel/host/config.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace tunnel::host {

// A part of a line: bytes [offset, offset + size).
struct Place {
  std::uint32_t line = 0;  // from 1
  std::size_t offset = 0;
  std::size_t size = 0;
};

// What may be shown of a line: bytes [hidden_from, hidden_to) may not.
struct ShownLine {
  std::string_view raw;
  std::size_t hidden_from = std::string_view::npos;
  std::size_t hidden_to = std::string_view::npos;
};

struct Words {
  std::string message;
  std::string hint;
};

// A word of the file as messages show it: 'ListenPort'.
std::string in_quotes(std::string_view word);

// An issue with a place. Long runs of base64 characters are hidden wherever they stand.
tunnel_config_issue issue_at(const ShownLine& line, const Place& place, const Words& words,
                             std::int32_t status);

// An issue about the file as a whole.
tunnel_config_issue issue_of_file(const Words& words, std::int32_t status);

// As a terminal shows it.
std::string issue_text(const tunnel_config_issue& issue, std::string_view file);

}  // namespace tunnel::host
