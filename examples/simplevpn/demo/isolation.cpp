#include "isolation.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "host.h"
#include "process.h"

namespace simplevpn::demo {
namespace {

constexpr unsigned long kApart = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET;

// The C library has no fork with flags; without a new stack the call is one.
pid_t fork_with(unsigned long flags) {
  return static_cast<pid_t>(
      syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

std::string setting(const char* name) {
  std::string text = read_file(std::string("/proc/sys/") + name);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// ---- why there are no namespaces ----

struct Switch {
  const char* file;
  const char* blocks_when;
  const char* sysctl;
  const char* value;
};

constexpr Switch kSwitches[] = {
    {"kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone", "1"},
    {"kernel/apparmor_restrict_unprivileged_userns", "1",
     "kernel.apparmor_restrict_unprivileged_userns", "0"},
    {"user/max_user_namespaces", "0", "user.max_user_namespaces", "10000"},
    {"user/max_pid_namespaces", "0", "user.max_pid_namespaces", "10000"},
    {"user/max_mnt_namespaces", "0", "user.max_mnt_namespaces", "10000"},
    {"user/max_net_namespaces", "0", "user.max_net_namespaces", "10000"},
};

Obstacle explain_namespaces(int error) {
  for (const Switch& each : kSwitches) {
    if (setting(each.file) != each.blocks_when) continue;
    const std::string name = each.sysctl;
    return {"the setting " + name + " = " + each.blocks_when + " forbids namespaces to you",
            "sudo sysctl " + name + "=" + each.value + ", or run the demo as root"};
  }
  if (error == ENOSPC) {
    return {"too many namespaces exist already (user.max_user_namespaces and its siblings)",
            "sudo sysctl user.max_user_namespaces=100000"};
  }
  const std::string reason = std::strerror(error);
  if (geteuid() != 0) {
    return {"the system gives an ordinary user no namespaces: " + reason,
            "run it as root; in a container allow the calls clone, unshare and mount "
            "(--security-opt seccomp=unconfined)"};
  }
  return {"the system gives no namespaces: " + reason,
          "in a container: --privileged, or --cap-add=SYS_ADMIN --cap-add=NET_ADMIN"};
}

// ---- the TUN device ----

constexpr const char* kTun = "/dev/net/tun";

std::string permissions_of(const char* path) {
  struct stat info {};
  if (stat(path, &info) != 0) return "";
  char text[32];
  std::snprintf(text, sizeof text, "mode %04o", info.st_mode & 07777u);
  return text;
}

std::optional<Obstacle> try_tun() {
  const Descriptor tun(open(kTun, O_RDWR | O_CLOEXEC));
  if (tun.valid()) return {};
  const std::string path = kTun;
  if (errno == EACCES) {
    return Obstacle{path + " is not open to you (" + permissions_of(kTun) + ")",
                    "sudo chmod 0666 " + path + ", which is Debian's default, or run it as root"};
  }
  if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
    return Obstacle{"there is no usable " + path,
                    "sudo modprobe tun; in a container: --device=" + path};
  }
  const std::string reason = std::strerror(errno);
  return Obstacle{path + " cannot be opened: " + reason, "in a container: --device=" + path};
}

std::optional<Obstacle> try_ip() {
  for (const char* path : {"/usr/sbin/ip", "/usr/bin/ip", "/sbin/ip", "/bin/ip"}) {
    if (access(path, X_OK) == 0) return {};
  }
  return Obstacle{"the program ip is not installed", "sudo apt-get install iproute2"};
}

// ---- the new process ----

// Who enters a mount namespace stands at its own root, so a host could not be entered from a chroot
// without leaving the chroot: its programs and libraries would be others.
bool in_chroot() {
  const Descriptor here(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  struct stat before {};
  struct stat after {};
  return stat("/", &before) == 0 && setns(here.get(), CLONE_NEWNS) == 0 && stat("/", &after) == 0 &&
         (before.st_dev != after.st_dev || before.st_ino != after.st_ino);
}

bool become_root(uid_t uid, gid_t gid) {
  return write_file("/proc/self/setgroups", "deny") &&
         write_file("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1") &&
         write_file("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1");
}

bool is_hung_up(int alive) {
  pollfd parent{alive, 0, 0};
  return poll(&parent, 1, 0) > 0;
}

}  // namespace

Fork fork_apart() {
  // Otherwise the files in /proc through which we become root would not be ours. No core file can
  // come of it, and the keys in this process are thrown away with the hosts.
  prctl(PR_SET_DUMPABLE, 1);
  Fork made;
  std::fflush(nullptr);
  made.pid = fork_with(kApart);
  if (made.pid >= 0 || errno != EPERM) {
    if (made.pid < 0) made.obstacle = explain_namespaces(errno);
    return made;
  }
  made.user = true;
  made.pid = fork_with(kApart | CLONE_NEWUSER);
  if (made.pid < 0) made.obstacle = explain_namespaces(errno);
  return made;
}

std::optional<Obstacle> settle(bool user, uid_t uid, gid_t gid, int alive) {
  if (user && !become_root(uid, gid)) return explain_namespaces(errno);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // after become_root, which would clear it
  if (is_hung_up(alive)) std::_Exit(1);
  setsid();
  setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
  if (in_chroot()) {
    return Obstacle{"a chroot cannot hold namespaces of its own",
                    "run it outside, or make the chroot a container (systemd-nspawn, pivot_root)"};
  }
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return explain_namespaces(errno);
  }
  if (auto obstacle = try_ip()) return obstacle;
  return try_tun();
}

}  // namespace simplevpn::demo
