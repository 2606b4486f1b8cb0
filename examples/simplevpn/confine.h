// confine.h - gives up, for good, everything that moving packets does not need.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace simplevpn {

struct Confinement {
  std::int32_t status = 0;  // a failure means: do not go on
  std::string user;         // who we are now
};

// Of the calling process, which has one thread:
//   - becomes "nobody", without groups, where it has root's powers over users; systemd's unit and
//     an ordinary user's namespaces do not give them, and then the user stays;
//   - keeps CAP_NET_ADMIN (marks, buffers), and CAP_NET_BIND_SERVICE if asked for, nothing else;
//   - gains nothing by programs it runs, leaves no core file and cannot be traced;
//   - ends with its parent, which is `parent`.
[[nodiscard]] Confinement confine(pid_t parent, bool binds_low_port);

// Descriptors that are open now, above standard error.
std::vector<int> open_descriptors();

}  // namespace simplevpn
