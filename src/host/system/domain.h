// domain.h — which texts are domains.
#pragma once

#include <string_view>

namespace tunnel::host {

// A domain to search in, or with '~' in front one that only leads questions: letters, digits, '-',
// '_' and dots, at most 253. No tool takes such a name for an option, nor a file for a line.
bool is_search_domain(std::string_view text) noexcept;

}  // namespace tunnel::host
