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

// Six words.
std::string saved_text(const SavedFile& saved);
std::optional<SavedFile> read_saved(std::string_view text);

}  // namespace tunnel::host::dns
