// netns.h — runs part of a test in a network namespace of its own.
//
// The body runs in a forked child, so nothing it makes outlives it: the namespace, its interfaces,
// descriptors and limits end with the process. Use REQUIRE in the body, not CHECK: a failed REQUIRE
// ends the child, and the parent fails with it. Where namespaces are not allowed the test says so
// and passes.
#pragma once

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>

#include "support/catch.hpp"

namespace test {

struct Skip {
  std::string reason;
};

inline void run_command(const std::string& command) {
  INFO(command);
  REQUIRE(std::system((command + " 2>&1").c_str()) == 0);
}

inline void write_file(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  if (!written) throw Skip{"cannot write " + path};
}

// Root makes a network namespace; anybody else first a user namespace in which he is root.
inline void enter_namespace() {
  if (::unshare(CLONE_NEWNET) == 0) return;
  const std::string user = std::to_string(::getuid());
  const std::string group = std::to_string(::getgid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) throw Skip{"namespaces are not allowed here"};
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/uid_map", "0 " + user + " 1");
  write_file("/proc/self/gid_map", "0 " + group + " 1");
}

// Gives up every capability, for the rest of the child.
inline void drop_privileges() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3]{};
  REQUIRE(::syscall(SYS_capset, &header, none) == 0);
}

inline int child_status(const std::function<void()>& body) {
  try {
    enter_namespace();
    run_command("ip link set lo up");
    body();
    return 0;
  } catch (const Skip& skip) {
    std::cout << "skipped: " << skip.reason << '\n';
    return 0;
  } catch (...) {
    return 1;  // Catch has printed the assertion already
  }
}

inline void in_namespace(const std::function<void()>& body) {
  std::cout.flush();
  std::fflush(nullptr);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const int status = child_status(body);
    std::cout.flush();
    std::fflush(nullptr);
    ::_exit(status);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
}

// A second network namespace beside the one the test runs in, joined to it by a veth pair: `near`
// here, `far` there, both up and without addresses.
class Neighbour {
 public:
  Neighbour() : home_(current()) {
    REQUIRE(::unshare(CLONE_NEWNET) == 0);
    there_ = current();
    run_command("ip link set lo up");
    enter(home_);
    join("near", "far");
  }

  // Adds another veth pair, up and without addresses; both ends carry packets when it returns.
  void join(const std::string& near, const std::string& far) const {
    const std::string there = "/proc/" + std::to_string(::getpid()) + "/fd/";
    run_command("ip link add " + near + " type veth peer name " + far + " netns " + there +
                std::to_string(there_));
    start(near);
    run([&] { start(far); });
    await(near);
    run([&] { await(far); });
  }

  // Runs `body` there. Sockets that it opens stay there.
  void run(const std::function<void()>& body) const {
    enter(there_);
    body();
    enter(home_);
  }

 private:
  // Without duplicate address detection, which would end in its own time.
  static void start(const std::string& link) {
    run_command("sysctl -qw net.ipv6.conf." + link + ".accept_dad=0");
    run_command("ip link set " + link + " up");
  }
  // The kernel makes the link-local address when the link carries packets.
  static void await(const std::string& link) {
    run_command("timeout 10 sh -c 'until ip -6 address show dev " + link +
                " scope link | grep -q inet6; do :; done'");
  }

  static int current() { return ::open("/proc/self/ns/net", O_RDONLY); }
  static void enter(int space) { REQUIRE(::setns(space, CLONE_NEWNET) == 0); }

  int home_;
  int there_ = -1;
};

}  // namespace test
