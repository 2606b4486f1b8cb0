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

  // Notes everything that is of the process `script`: its session, and who holds one of the
  // namespaces. Call it while they live, because numbers of namespaces are given again at once.
  void watch(pid_t script, const std::vector<std::string>& spaces);

  // What of it is still there, and what else is there now and was not at the beginning. Empty is
  // what it should be.
  std::vector<std::string> leftovers() const;

  std::size_t watched() const { return watched_.size(); }

 private:
  std::vector<std::string> files_;
  std::vector<std::string> interfaces_;
  std::vector<std::string> watched_;  // processes and mounts
};

}  // namespace simplevpn::demo
