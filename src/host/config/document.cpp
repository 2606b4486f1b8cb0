#include "host/config/document.h"

#include <tunnel/keys.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "host/config/file_parser.h"
#include "host/config/suggest.h"

namespace tunnel::host {
namespace {

using base::WipedBuffer;
using Kind = DocumentLine::Kind;
using Lines = std::vector<DocumentLine>;

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string_view without_newline(std::string_view text) noexcept {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

WipedBuffer buffer_of(std::initializer_list<std::string_view> parts) {
  WipedBuffer buffer;
  for (const std::string_view part : parts) buffer.append(part);
  return buffer;
}

bool is_hook(const Key& key) noexcept {
  return key.read == &FileParser::read_pre_up || key.read == &FileParser::read_post_up ||
         key.read == &FileParser::read_pre_down || key.read == &FileParser::read_post_down;
}

// What wg-quick reads itself and `wg setconf` refuses.
bool is_for_wg_quick(const Key& key) noexcept {
  return key.section == Section::interface && key.read != &FileParser::read_private_key &&
         key.read != &FileParser::read_listen_port && key.read != &FileParser::read_fwmark;
}

// "# friendly_..." describes the section it stands in, never the next one.
bool is_pragma(const DocumentLine& line) {
  constexpr std::string_view kFamily = "friendly_";
  if (line.kind != Kind::comment) return false;
  const std::string_view text = trim(trim(line.text.text()).substr(1));
  return same_word(text.substr(0, kFamily.size()), kFamily);
}

bool is_name(const DocumentLine& line) {
  return line.kind == Kind::comment && pragma_value(line.text.text(), kNamePragma).has_value();
}

// Replaces what stands behind the equals sign; what surrounds it stays. With `to_end` a '#' begins
// no comment in it.
WipedBuffer with_value(std::string_view line, std::string_view value, bool to_end) {
  const std::size_t equals = line.find('=');
  const std::string_view rest = without_newline(line.substr(equals + 1));
  const std::string_view old = trim(rest.substr(0, to_end ? rest.size() : rest.find('#')));
  if (old.empty()) {
    const std::string_view gap = value.starts_with(' ') ? "" : " ";
    return buffer_of({line.substr(0, equals + 1), gap, value, rest.empty() ? "" : " ", trim(rest),
                      line.substr(equals + 1 + rest.size())});
  }
  const auto from = static_cast<std::size_t>(old.data() - line.data());
  return buffer_of({line.substr(0, from), value, line.substr(from + old.size())});
}

bool has_value(std::string_view line, std::string_view value, bool to_end) {
  const std::string_view rest = without_newline(line.substr(line.find('=') + 1));
  return trim(rest.substr(0, to_end ? rest.size() : rest.find('#'))) == value;
}

Lines::iterator header_of(Lines& lines) {
  return std::find_if(lines.begin(), lines.end(),
                      [](const DocumentLine& line) { return line.kind == Kind::header; });
}

// One past the last line that says something about the section; before `lines.end()` stands what
// only follows it.
Lines::iterator end_of_content(Lines& lines) {
  const auto last = std::find_if(
      lines.rbegin(), Lines::reverse_iterator(header_of(lines)),
      [](const DocumentLine& line) { return line.kind == Kind::assignment || is_pragma(line); });
  return last.base();
}

}  // namespace

// ---- reading ----

Document::Document(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) {
    mark_ = kByteOrderMark;
    text.remove_prefix(kByteOrderMark.size());
  }
  sections_.emplace_back();
  const std::size_t first = text.find('\n');
  if (first != std::string_view::npos && first > 0 && text[first - 1] == '\r') newline_ = "\r\n";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    add_line(line_of(text.substr(0, end)));
    text.remove_prefix(end);
  }
  for (DocumentSection& section : sections_) index_peer(section);
}

DocumentLine Document::line_of(std::string_view text) {
  DocumentLine line;
  line.text.append(text);
  scanned_.assign(1, without_newline(text));
  const std::string_view compact = scanned_.compact();
  if (compact.empty()) {
    line.kind = scanned_.comment().empty() ? Kind::blank : Kind::comment;
  } else if (compact.front() == '[') {
    line.kind = Kind::header;
  } else {
    line.kind = Kind::assignment;
    line.key = find_key(compact.substr(0, compact.find('=')));
  }
  return line;
}

void Document::add_line(DocumentLine line) {
  if (line.kind != Kind::header) {
    sections_.back().lines.push_back(std::move(line));
    return;
  }
  Lines& before = sections_.back().lines;
  const auto above = std::find_if(before.rbegin(), before.rend(), [](const DocumentLine& other) {
                       return other.kind != Kind::comment || is_pragma(other);
                     }).base();
  DocumentSection section;
  section.kind = same_word(scanned_.compact(), "[Peer]") ? Section::peer : Section::interface;
  section.lines.assign(std::make_move_iterator(above), std::make_move_iterator(before.end()));
  before.erase(above, before.end());
  section.lines.push_back(std::move(line));
  sections_.push_back(std::move(section));
}

void Document::index_peer(DocumentSection& section) {
  if (section.kind != Section::peer) return;
  for (const DocumentLine& line : section.lines) {
    if (line.key == nullptr || line.key->read != &FileParser::read_public_key) continue;
    scanned_.assign(1, without_newline(line.text.text()));
    const std::string_view compact = scanned_.compact();
    const std::string_view value = compact.substr(compact.find('=') + 1);
    if (tunnel_key_from_text(value.data(), value.size(), section.public_key.data()) == TUNNEL_OK) {
      by_key_[section.public_key] = static_cast<std::size_t>(&section - sections_.data());
    }
  }
}

WipedBuffer Document::text() const {
  WipedBuffer text;
  text.append(mark_);
  for (const DocumentSection& section : sections_) {
    for (const DocumentLine& line : section.lines) text.append(line.text.text());
  }
  return text;
}

bool Document::name_taken(std::string_view name, const PublicKey& but) const {
  return std::any_of(sections_.begin(), sections_.end(), [&](const DocumentSection& section) {
    if (section.kind != Section::peer || section.public_key == but) return false;
    const auto last = std::find_if(section.lines.rbegin(), section.lines.rend(), is_name);
    return last != section.lines.rend() &&
           friendly_name(*pragma_value(last->text.text(), kNamePragma)) == name;
  });
}

// ---- changing ----

DocumentLine Document::assignment(std::string_view key, std::string_view value) {
  const WipedBuffer text = buffer_of({key, " = ", value, newline_});
  return line_of(text.text());
}

void Document::end_with_newline() {
  const auto last = std::find_if(sections_.rbegin(), sections_.rend(),
                                 [](const auto& section) { return !section.lines.empty(); });
  if (last == sections_.rend()) return;
  WipedBuffer& text = last->lines.back().text;
  if (!text.text().ends_with('\n')) text.append(newline_);
}

void Document::add_peer(const PublicKey& key) {
  if (has_peer(key)) return;
  end_with_newline();
  const auto last = std::find_if(sections_.rbegin(), sections_.rend(),
                                 [](const auto& section) { return !section.lines.empty(); });
  if (last != sections_.rend() && last->lines.back().kind != Kind::blank) {
    last->lines.push_back(line_of(newline_));
  }
  char text[TUNNEL_KEY_TEXT_SIZE] = {};
  (void)tunnel_key_to_text(key.data(), text);
  DocumentSection section{Section::peer, key, {}};
  section.lines.push_back(line_of("[Peer]" + std::string(newline_)));
  section.lines.push_back(assignment("PublicKey", text));
  by_key_[key] = sections_.size();
  sections_.push_back(std::move(section));
}

bool Document::blank_follows(std::size_t section) const {
  for (std::size_t i = section; i < sections_.size(); ++i) {
    if (!sections_[i].lines.empty()) return sections_[i].lines.front().kind == Kind::blank;
  }
  return true;
}

void Document::drop_blanks_before(std::size_t section) {
  while (section > 0 && sections_[section - 1].lines.empty()) --section;
  if (section == 0) return;
  Lines& lines = sections_[section - 1].lines;
  while (!lines.empty() && lines.back().kind == Kind::blank) lines.pop_back();
}

void Document::remove_peer(const PublicKey& key) {
  const std::size_t index = by_key_.at(key);
  DocumentSection& section = sections_[index];
  auto end = end_of_content(section.lines);
  while (end != section.lines.end() && end->kind == Kind::comment) ++end;
  section.lines.erase(section.lines.begin(), end);
  section.kind = Section::none;
  by_key_.erase(key);
  if (blank_follows(index)) drop_blanks_before(index);
}

void Document::rename_peer(const PublicKey& key, std::string_view name) {
  Lines& lines = section_of(key).lines;
  const auto last = std::find_if(lines.rbegin(), lines.rend(), is_name);
  if (name.empty()) {
    std::erase_if(lines, is_name);
  } else if (last != lines.rend()) {
    last->text = with_value(last->text.text(), name, true);
  } else {
    const std::string text = "# " + std::string(kNamePragma) + " = " + std::string(name);
    lines.insert(header_of(lines) + 1, line_of(text + std::string(newline_)));
  }
}

void Document::set(const PublicKey& peer, const Key& key, std::string_view value) {
  set_in(section_of(peer), key, value);
}

DocumentSection& Document::interface() {
  const auto is_interface = [](const auto& section) { return section.kind == Section::interface; };
  const auto found = std::find_if(sections_.begin(), sections_.end(), is_interface);
  if (found != sections_.end()) return *found;
  // Above the first header, whose section moves on.
  DocumentSection section{Section::interface, {}, {}};
  section.lines.push_back(line_of("[Interface]" + std::string(newline_)));
  end_with_newline();
  sections_.insert(sections_.begin() + 1, std::move(section));
  for (auto& [key, index] : by_key_) ++index;
  return sections_[1];
}

// The last line with a key counts, in whichever [Interface] it stands; it stays, others go.
void Document::set(const Key& key, std::string_view value) {
  DocumentSection* home = &interface();
  for (DocumentSection& section : sections_) {
    if (section.kind != Section::interface) continue;
    const bool has_key = std::any_of(section.lines.begin(), section.lines.end(),
                                     [&](const auto& line) { return line.key == &key; });
    if (has_key && home != &section) set_in(*home, key, "");
    if (has_key) home = &section;
  }
  set_in(*home, key, value);
}

void Document::set_in(DocumentSection& section, const Key& key, std::string_view value) {
  Lines& lines = section.lines;
  const auto is_ours = [&](const DocumentLine& line) { return line.key == &key; };
  if (value.empty()) {
    std::erase_if(lines, is_ours);
    return;
  }
  const auto found = std::find_if(lines.rbegin(), lines.rend(), is_ours);
  if (found == lines.rend()) {
    WipedBuffer* last = lines.empty() ? nullptr : &lines.back().text;
    if (last != nullptr && !last->text().ends_with('\n')) last->append(newline_);
    lines.insert(std::max(end_of_content(lines), header_of(lines) + 1),
                 assignment(key.name, value));
    return;
  }
  const bool to_end = is_hook(key);
  if (!has_value(found->text.text(), value, to_end)) {
    found->text = with_value(found->text.text(), value, to_end);
  }
  const auto keep = found.base() - 1;
  lines.erase(std::remove_if(lines.begin(), keep, is_ours), keep);
}

void Document::strip() {
  mark_ = {};
  for (DocumentSection& section : sections_) {
    std::erase_if(section.lines, [](const DocumentLine& line) {
      return line.key != nullptr && is_for_wg_quick(*line.key);
    });
    for (DocumentLine& line : section.lines) {
      std::string_view text = line.text.text();
      const std::string_view end = text.ends_with('\n') ? "\n" : "";
      text = text.substr(0, text.size() - end.size());
      while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
      while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
      line.text = buffer_of({text, end});
    }
  }
}

}  // namespace tunnel::host
