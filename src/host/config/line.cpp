#include "host/config/line.h"

#include <algorithm>
#include <functional>

#include "host/config/suggest.h"
#include "host/system/system.h"

namespace tunnel::host {

bool is_blank(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::string_view> pragma_value(std::string_view comment, std::string_view key) {
  std::string_view text = trim(comment);
  if (!text.starts_with('#')) return std::nullopt;
  text = trim(text.substr(1));
  if (!same_word(text.substr(0, key.size()), key)) return std::nullopt;
  text = trim(text.substr(key.size()));
  if (!text.starts_with('=')) return std::nullopt;
  return trim(text.substr(1));
}

std::string friendly_name(std::string_view value) {
  std::string name(trim(value.substr(0, kLongestName)));
  std::replace_if(name.begin(), name.end(), is_control, '?');
  return name;
}

bool is_writable_name(std::string_view name) {
  return !name.empty() && name.find('\0') == std::string_view::npos &&
         name.size() <= kLongestName && friendly_name(name) == name;
}

void Line::assign(std::uint32_t number, std::string_view raw) {
  number_ = number;
  raw_ = raw;
  content_ = raw.substr(0, raw.find('#'));
  compact_.truncate(0);
  offsets_.clear();
  for (std::size_t i = 0; i < content_.size(); ++i) {
    if (is_blank(content_[i])) continue;
    compact_.append(content_.substr(i, 1));
    offsets_.push_back(static_cast<std::uint32_t>(i));
  }
}

std::size_t Line::offset_of_byte(const char* byte) const noexcept {
  // std::less orders pointers of different arrays too.
  const std::less_equal<const char*> before{};
  const std::string_view compact = compact_.text();
  if (before(compact.data(), byte) && before(byte, compact.data() + compact.size())) {
    const auto index = static_cast<std::size_t>(byte - compact.data());
    if (index < offsets_.size()) return offsets_[index];
    return offsets_.empty() ? 0 : offsets_.back() + std::size_t{1};
  }
  return static_cast<std::size_t>(byte - raw_.data());
}

std::size_t Line::offset_of(std::string_view part) const noexcept {
  return part.data() == nullptr ? 0 : offset_of_byte(part.data());
}

std::size_t Line::size_of(std::string_view part) const noexcept {
  if (part.empty()) return 1;
  return offset_of_byte(&part.back()) + 1 - offset_of_byte(part.data());
}

}  // namespace tunnel::host
