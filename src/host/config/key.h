// key.h — the keys of the file format.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace tunnel::host {

enum class Section { none, interface, peer };

class FileParser;

// One key of the file format.
struct Key {
  std::string_view name;
  Section section;
  bool (FileParser::*read)(std::string_view value);
  bool secret = false;
  bool repeatable = false;
};

inline constexpr std::size_t kKeyCount = 17;
extern const std::array<Key, kKeyCount> kKeys;

// Null for a word that is no key. Case does not matter.
const Key* find_key(std::string_view name) noexcept;

}  // namespace tunnel::host
