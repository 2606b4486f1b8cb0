// save.h - a running tunnel's state, written back into its file.
#pragma once

#include "output.h"
#include "target.h"

namespace simplevpn {

// Returns its exit status; a failure was reported and the file is as it was.
[[nodiscard]] int save_running(const Target& target, const Output& output);

}  // namespace simplevpn
