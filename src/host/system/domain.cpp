#include "host/system/domain.h"

namespace tunnel::host {

bool is_search_domain(std::string_view text) noexcept {
  constexpr std::size_t kLongest = 253;  // RFC 1035, as text
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  if (text.starts_with('~')) text.remove_prefix(1);
  return !text.empty() && text.size() <= kLongest && text.front() != '-' &&
         text.find_first_not_of(kLetters) == std::string_view::npos;
}

}  // namespace tunnel::host
