// suggest.h — "did you mean …?"
#pragma once

#include <span>
#include <string_view>

namespace tunnel::host {

// Compares as the file format does: without regard to ASCII case.
bool same_word(std::string_view a, std::string_view b) noexcept;

// The candidate that is written most like `word`, or "" when none is close.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace tunnel::host
