// demo.h - `simplevpn demo`: a tunnel between throw-away hosts, proved line by line.
#pragma once

#include <string>

#include "../output.h"

namespace simplevpn {

struct DemoOptions {
  std::string report = "demo-report";  // directory for report.md, throughput.svg, status.json
  bool keep = false;                   // leave the hosts up at the end, for a look around
};

// Changes nothing on the machine. Returns the exit status: 0 only when every line held, 7 when one
// did not, 6 when the machine does not let us.
int run_demo(const DemoOptions& options, const Output& output);

}  // namespace simplevpn
