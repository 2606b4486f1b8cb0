// report.h - the findings on paper: report.md, throughput.svg and status.json in one directory.
#pragma once

#include <string>

#include "findings.h"

namespace simplevpn::demo {

// Makes the directory, so that a wrong one is noticed before the work. "" or why it cannot be used.
std::string prepare_report(const std::string& directory);

// Writes the three files, over older ones. "" or why that failed.
std::string write_report(const std::string& directory, const Findings& findings);

// The findings as one JSON document, "simplevpn.demo/1".
std::string findings_json(const std::string& directory, const Findings& findings);

}  // namespace simplevpn::demo
