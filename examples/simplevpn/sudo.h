// sudo.h - a command for root, called by somebody else: run anew by sudo, as wg-quick does it.
#pragma once

#include <string>
#include <vector>

#include "output.h"

namespace simplevpn {

// Becomes the same command under sudo; `arguments` begin with the program's name. Comes back when
// that is not needed or of no use: we have CAP_NET_ADMIN, a program reads our output (--json),
// there is no sudo, or it would ask for a password and there is no terminal. Whatever the command
// then may not do it reports itself, with the line to type.
void run_by_sudo(const std::vector<std::string>& arguments, const Output& output);

}  // namespace simplevpn
