// chart.h - the throughput of the long copy as a picture, for light and dark pages.
#pragma once

#include <string>

#include "findings.h"

namespace simplevpn::demo {

// A complete SVG document.
std::string chart(const Findings& findings);

}  // namespace simplevpn::demo
