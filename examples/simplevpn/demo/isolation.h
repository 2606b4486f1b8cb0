// isolation.h - a process apart from the machine: own processes, mounts and network.
//
// It is process 1 of its process namespace: when it ends, the kernel ends all others in it. Whoever
// may not make such namespaces makes them in a user namespace of his own, where he is root.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace simplevpn::demo {

// What keeps the demo from running on this machine.
struct Obstacle {
  std::string message;
  std::string fix;  // a command, or a sentence
};

struct Fork {
  pid_t pid = -1;     // 0 in the child
  bool user = false;  // it has its own user namespace
  std::optional<Obstacle> obstacle;
};

// As fork(), apart from the machine. Call it with one thread.
Fork fork_apart();

// For the child, first of all: dies with its parent (which holds the other end of the pipe
// `alive`), is root in its user namespace, and shares no mounts. Then looks whether everything the
// demo needs can be had.
std::optional<Obstacle> settle(bool user, uid_t uid, gid_t gid, int alive);

}  // namespace simplevpn::demo
