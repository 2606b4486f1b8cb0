#include "host/config/issue.h"

#include <algorithm>

namespace tunnel::host {
namespace {

constexpr std::string_view kHidden = "(hidden)";
constexpr std::size_t kLongestShownRun = 31;  // base64 characters; a key has 43
constexpr std::size_t kMostPadding = 2;       // '=' behind them
constexpr std::size_t kWindow = 100;          // characters of a line that are shown
constexpr std::size_t kBeforeFault = 60;      // of these, before the fault

bool is_base64(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

template <std::size_t N>
void put(char (&field)[N], std::string_view text) noexcept {
  std::size_t size = std::min(text.size(), N - 1);
  // Never half a UTF-8 character.
  while (size < text.size() && size > 0 && (text[size] & 0xc0) == 0x80) --size;
  std::copy_n(text.data(), size, field);
  field[size] = '\0';
}

// Bytes of the UTF-8 character at the start of the text; 1 for what is none.
std::size_t character_size(std::string_view text) noexcept {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0xc2   ? 1
                           : lead < 0xe0 ? 2
                           : lead < 0xf0 ? 3
                           : lead < 0xf5 ? 4
                                         : 1;
  if (size > text.size()) return 1;
  for (std::size_t i = 1; i < size; ++i) {
    if ((text[i] & 0xc0) != 0x80) return 1;
  }
  return size;
}

std::size_t count_characters(std::string_view text) noexcept {
  std::size_t count = 0;
  for (; !text.empty(); text.remove_prefix(character_size(text))) ++count;
  return count;
}

// The line as it may be shown, being built from left to right.
struct Drawing {
  std::string text;              // whole characters only
  std::size_t width = 0;         // characters so far
  std::size_t caret = SIZE_MAX;  // character where the fault begins
  std::size_t end = 0;           // and where it ends
};

std::size_t base64_run(std::string_view text) noexcept {
  const auto end = std::find_if_not(text.begin(), text.end(), is_base64);
  return static_cast<std::size_t>(end - text.begin());
}

// Bytes to hide from `at` on; 0 = none.
std::size_t bytes_to_hide(const ShownLine& line, std::size_t at) noexcept {
  if (at >= line.hidden_from && at < line.hidden_to) {
    return std::min(line.hidden_to, line.raw.size()) - at;
  }
  const bool run_begins = at == 0 || !is_base64(line.raw[at - 1]);
  const std::size_t run = run_begins ? base64_run(line.raw.substr(at)) : 0;
  if (run <= kLongestShownRun) return 0;
  const std::string_view behind = line.raw.substr(at + run, kMostPadding);
  return run + std::min(behind.find_first_not_of('='), behind.size());
}

void draw_character(std::string_view character, Drawing& drawing) {
  const auto byte = static_cast<unsigned char>(character.front());
  if (character.size() > 1) {
    drawing.text += character;
  } else if (byte == '\t') {
    drawing.text += ' ';
  } else {
    drawing.text += byte < 0x20 || byte >= 0x7f ? '?' : character.front();
  }
  ++drawing.width;
}

Drawing draw(const ShownLine& line, const Place& place) {
  Drawing drawing;
  for (std::size_t at = 0; at < line.raw.size();) {
    const std::size_t hidden = bytes_to_hide(line, at);
    const std::size_t size = hidden != 0 ? hidden : character_size(line.raw.substr(at));
    if (drawing.caret == SIZE_MAX && place.offset < at + size) drawing.caret = drawing.width;
    if (hidden != 0) {
      drawing.text += kHidden;
      drawing.width += kHidden.size();
    } else {
      draw_character(line.raw.substr(at, size), drawing);
    }
    if (at < place.offset + place.size) drawing.end = drawing.width;
    at += size;
  }
  drawing.caret = std::min(drawing.caret, drawing.width);
  return drawing;
}

std::string_view drop_characters(std::string_view text, std::size_t count) noexcept {
  for (; count > 0 && !text.empty(); --count) text.remove_prefix(character_size(text));
  return text;
}

// Cuts the drawing to a window around the fault.
void put_window(const Drawing& drawing, tunnel_config_issue& issue) {
  const std::size_t skipped =
      drawing.width > kWindow && drawing.caret > kBeforeFault ? drawing.caret - kBeforeFault : 0;
  const std::string_view rest = drop_characters(drawing.text, skipped);
  const std::string_view after = drop_characters(rest, kWindow);
  const std::string_view shown = rest.substr(0, rest.size() - after.size());
  put(issue.text, shown);
  const std::size_t width = count_characters(issue.text);
  const std::size_t caret = drawing.caret - skipped;
  const std::size_t span = drawing.end > drawing.caret ? drawing.end - drawing.caret : 1;
  issue.caret = static_cast<std::uint32_t>(caret);
  issue.span = static_cast<std::uint32_t>(
      std::clamp<std::size_t>(std::min(span, width > caret ? width - caret : 1), 1, kWindow));
}

// The neighbourhood of the fault in a very long line; never begins or ends inside a run of base64
// characters, whose rest would look short enough to be shown.
ShownLine crop(const ShownLine& line, Place& place) {
  constexpr std::size_t kNear = 1024;
  const std::string_view raw = line.raw;
  std::size_t from = place.offset > kNear ? place.offset - kNear : 0;
  std::size_t to = std::min(raw.size(), place.offset + kNear);
  while (from > 0 && from < to && is_base64(raw[from]) && is_base64(raw[from - 1])) ++from;
  while (to < raw.size() && to > from && is_base64(raw[to]) && is_base64(raw[to - 1])) --to;
  const auto moved = [&](std::size_t at) { return std::clamp(at, from, to) - from; };
  place.size = moved(place.offset + place.size) - moved(place.offset);
  place.offset = moved(place.offset);
  return {raw.substr(from, to - from), moved(line.hidden_from), moved(line.hidden_to)};
}

}  // namespace

tunnel_config_issue issue_of_file(const Words& words, std::int32_t status) {
  tunnel_config_issue issue{};
  issue.size = sizeof(issue);
  issue.status = status;
  put(issue.message, words.message);
  put(issue.hint, words.hint);
  return issue;
}

std::string in_quotes(std::string_view word) {
  return std::string("'").append(word).append("'");
}

tunnel_config_issue issue_at(const ShownLine& line, const Place& place, const Words& words,
                             std::int32_t status) {
  tunnel_config_issue issue = issue_of_file(words, status);
  issue.line = place.line;
  const std::string_view before = line.raw.substr(0, place.offset);
  issue.column = static_cast<std::uint32_t>(count_characters(before) + 1);
  Place near = place;
  const ShownLine cropped = crop(line, near);
  put_window(draw(cropped, near), issue);
  return issue;
}

std::string issue_text(const tunnel_config_issue& issue, std::string_view file) {
  std::string text(file);
  if (issue.line != 0) {
    text.append(":").append(std::to_string(issue.line));
    text.append(":").append(std::to_string(issue.column));
  }
  text += std::string(issue.status == TUNNEL_OK ? ": warning: " : ": ") + issue.message + "\n";
  if (issue.text[0] != '\0') {
    text += "  " + std::string(issue.text) + "\n  " + std::string(issue.caret, ' ') + "^" +
            std::string(issue.span - 1, '~') + "\n";
  }
  if (issue.hint[0] != '\0') text += "hint: " + std::string(issue.hint) + "\n";
  return text;
}

}  // namespace tunnel::host
