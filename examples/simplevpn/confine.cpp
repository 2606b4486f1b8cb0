#include "confine.h"

#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <tunnel/status.h>

#include "privilege.h"

namespace simplevpn {
namespace {

constexpr rlim_t kMostDescriptors = 65536;
constexpr uid_t kNobody = 65534;  // where the machine has no name for it

constexpr std::uint64_t bit(int capability) {
  return std::uint64_t{1} << capability;
}
constexpr std::uint64_t kPowersOverUsers = bit(CAP_SETUID) | bit(CAP_SETGID) | bit(CAP_KILL);

// As permitted and effective ones; none is inherited.
bool keep_capabilities(std::uint64_t kept) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  data[0].effective = data[0].permitted = static_cast<std::uint32_t>(kept);
  data[1].effective = data[1].permitted = static_cast<std::uint32_t>(kept >> 32);
  return syscall(SYS_capset, &header, data) == 0;
}

struct Nobody {
  uid_t user = kNobody;
  gid_t group = kNobody;
};

Nobody find_nobody() {
  const passwd* entry = getpwnam("nobody");
  return entry == nullptr ? Nobody{} : Nobody{entry->pw_uid, entry->pw_gid};
}

// In a user namespace the numbers of others may not exist (EINVAL), or groups cannot be dropped at
// all (EPERM, although we have the power): its root is an ordinary user outside.
bool is_small_namespace() {
  return errno == EINVAL || errno == EPERM;
}

// False = a failure after which nobody knows who we are.
bool become_nobody() {
  const Nobody nobody = find_nobody();
  if (setgroups(0, nullptr) != 0) return is_small_namespace();
  if (setresgid(nobody.group, nobody.group, nobody.group) != 0) return is_small_namespace();
  if (setresuid(nobody.user, nobody.user, nobody.user) != 0) return is_small_namespace();
  return getuid() == nobody.user && setuid(0) != 0;
}

// Without the power to do so nothing can be dropped here, and nothing can be gained by it either.
void empty_bounding_set() {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
}

std::string user_name() {
  const passwd* entry = getpwuid(geteuid());
  return entry == nullptr ? std::to_string(geteuid()) : entry->pw_name;
}

}  // namespace

Confinement confine(pid_t parent, bool binds_low_port) {
  const std::uint64_t had = effective_capabilities();
  const std::uint64_t needed =
      bit(CAP_NET_ADMIN) | (binds_low_port ? bit(CAP_NET_BIND_SERVICE) : 0);
  const Confinement failed{TUNNEL_ERR_PERMISSION, {}};
  empty_bounding_set();
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return failed;
  if ((had & kPowersOverUsers) == kPowersOverUsers && !become_nobody()) return failed;
  if (!keep_capabilities(had & needed)) return failed;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed;
  // A change of user makes a process dumpable again, and forgets the signal.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return failed;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return failed;
  if (getppid() != parent) return failed;  // it died before we asked for the signal
  return {TUNNEL_OK, user_name()};
}

// By poll(), because there are places without /proc.
std::vector<int> open_descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  std::vector<pollfd> all(std::min(limit.rlim_cur, kMostDescriptors));
  for (std::size_t i = 0; i < all.size(); ++i) all[i].fd = static_cast<int>(i);
  std::vector<int> open;
  if (poll(all.data(), all.size(), 0) < 0) return open;
  for (const pollfd& one : all) {
    if (one.fd > STDERR_FILENO && (one.revents & POLLNVAL) == 0) open.push_back(one.fd);
  }
  return open;
}

}  // namespace simplevpn
