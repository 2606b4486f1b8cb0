// line.h — one line of a file: where its content ends, and the content without blanks, which is
// what the WireGuard tools look at ("Private Key = a b" is "PrivateKey=ab").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace tunnel::host {

bool is_blank(char c) noexcept;
std::string_view trim(std::string_view text) noexcept;

// What stands behind the equals sign of a comment like "# friendly_name = laptop"; nothing when the
// comment does not set `key`. Case does not matter.
std::optional<std::string_view> pragma_value(std::string_view comment, std::string_view key);

// The name that such a text gives: cut, and without control characters.
std::string friendly_name(std::string_view value);
// True when the file gives back exactly this name.
bool is_writable_name(std::string_view name);
inline constexpr std::string_view kNamePragma = "friendly_name";
inline constexpr std::size_t kLongestName = 64;

class Line {
 public:
  // Looks at another line, without its newline. `raw` must live until the next call.
  void assign(std::uint32_t number, std::string_view raw);

  std::uint32_t number() const noexcept { return number_; }
  std::string_view raw() const noexcept { return raw_; }
  std::string_view content() const noexcept { return content_; }  // before '#', with blanks
  std::string_view comment() const noexcept { return raw_.substr(content_.size()); }
  std::string_view compact() const noexcept { return compact_.text(); }  // content without blanks

  // The byte of raw() where a part of raw() or of compact() begins.
  std::size_t offset_of(std::string_view part) const noexcept;
  // The bytes of raw() from the first to the last of `part`.
  std::size_t size_of(std::string_view part) const noexcept;

 private:
  std::size_t offset_of_byte(const char* byte) const noexcept;

  std::uint32_t number_ = 0;
  std::string_view raw_;
  std::string_view content_;
  base::WipedBuffer compact_;
  std::vector<std::uint32_t> offsets_;  // of each byte of compact_
};

}  // namespace tunnel::host
