// demo.h - `simplevpn demo`: a tunnel between throw-away hosts, proved line by line.
//
// main() has made the process undumpable, so that its /proc/self belongs to root: an ordinary
// user who makes a user namespace here has to undo that first (the demonstration's keys protect
// nothing).
#pragma once

#include <string>

#include "../output.h"

namespace simplevpn {

struct DemoOptions {
  std::string report = "demo-report";  // directory for report.md, throughput.svg, status.json
  bool keep = false;                   // leave the hosts up at the end, for a look around
};

// Returns the exit status: 0 only when every line held.
int run_demo(const DemoOptions& options);

}  // namespace simplevpn
