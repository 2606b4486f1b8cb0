// suggest.h - "did you mean ...?" for words of the command line.
#pragma once

#include <string>
#include <vector>

namespace simplevpn {

// The candidate that is written most like `word`, or "" when none is close.
[[nodiscard]] std::string nearest(const std::string& word,
                                  const std::vector<std::string>& candidates);

}  // namespace simplevpn
