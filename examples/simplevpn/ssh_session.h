// ssh_session.h - whether somebody types this from afar.
#pragma once

namespace simplevpn {

// Asks the processes above us and not only the environment, which sudo does not hand on.
[[nodiscard]] bool is_ssh_session();

}  // namespace simplevpn
