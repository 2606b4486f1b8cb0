#include "privilege.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace simplevpn {

// The kernel's interface, because libcap is one library more and does no more than this.
std::uint64_t effective_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return UINT64_MAX;
  return data[0].effective | std::uint64_t{data[1].effective} << 32;
}

bool has_net_admin() {
  return (effective_capabilities() & std::uint64_t{1} << CAP_NET_ADMIN) != 0;
}

}  // namespace simplevpn
