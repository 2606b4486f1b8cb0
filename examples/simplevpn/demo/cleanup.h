// cleanup.h - whether the demo left anything behind.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "findings.h"

namespace simplevpn::demo {

// What the machine had before: only what the demo's programs could add to.
class Inventory {
 public:
  Inventory();

  // What is there now and was not then, was of the process `script` and its children, or holds one
  // of the namespaces. Empty is what it should be.
  std::vector<std::string> leftovers(pid_t script, const std::vector<std::string>& spaces) const;

 private:
  std::vector<std::string> files_;
  std::vector<std::string> interfaces_;
};

}  // namespace simplevpn::demo
