// cli.h - the command line: one program, many commands.
#pragma once

#include <string>
#include <vector>

namespace simplevpn {

// Runs the command that the arguments ask for and returns its exit status. arguments[0] is the name
// the program was called by: simplevpn-client, simplevpn-server and simplevpn-tun stand for those
// commands.
int run(const std::vector<std::string>& arguments);

}  // namespace simplevpn
