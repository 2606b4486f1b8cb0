// answer.h — what the system said to a change.
#pragma once

#include <string>

namespace tunnel::host {

struct Answer {
  int error = 0;      // errno, 0 = done
  std::string words;  // the system's own explanation, where it gave one
};

}  // namespace tunnel::host
