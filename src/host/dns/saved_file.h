// saved_file.h — a small text file as it was: enough to put it back. As one line of text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/base.h"

namespace tunnel::host::dns {

struct SavedFile {
  enum class Kind : std::uint8_t { missing, file, link };
  Kind kind = Kind::missing;
  std::uint32_t mode = 0644;
  std::uint32_t owner = 0;
  std::uint32_t group = 0;
  std::string target;   // of a link
  std::string content;  // of the file, or of what the link leads to; "" when that is missing

  bool operator==(const SavedFile&) const = default;
};

// Follows a link for its content only. UNSUPPORTED: a directory or device; LIMIT: beyond 64 KiB.
base::Result<SavedFile> save_file(const std::string& path);

// One word of printable characters for any text, and back.
std::string to_word(std::string_view text);
std::optional<std::string> from_word(std::string_view word);

// Six words.
std::string saved_text(const SavedFile& saved);
std::optional<SavedFile> read_saved(std::string_view text);

// Cuts the first word off `text`; blanks separate words.
std::string_view next_word(std::string_view& text) noexcept;

}  // namespace tunnel::host::dns
