// difference.h — what is to be done so that other steps are in force than now. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "host/step/step.h"

namespace tunnel::host {

struct Todo {
  enum class Kind : std::uint8_t {
    keep,  // look whether it is still there
    swap,  // one in the place of the other, at once
    take,
    undo,
  };
  Kind kind;
  std::size_t now = 0;     // which of those in force: of all but `take`
  std::size_t wanted = 0;  // which of the wanted ones: of all but `undo`

  bool operator==(const Todo&) const = default;
};

// In the order in which no packet gets out in between:
//   1. the block becomes what it shall be
//   2. what leads packets past the tunnel, or is to be told apart from its successor, is undone
//   3. what is wanted is there, in its order
//   4. what is left over is undone, in reverse; not if something of 3 could not be done
// Every step of either list occurs once.
std::vector<Todo> difference(const std::vector<Step>& now, const std::vector<Step>& wanted,
                             const std::string& interface_name);

// True for what is undone in 4 only: it keeps packets inside.
bool keeps_inside(const Step& step, const std::string& interface_name);

}  // namespace tunnel::host
