// background.h - a daemon that leaves its terminal, and the words between it and its parent.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <sys/types.h>

#include "log.h"
#include "output.h"

namespace simplevpn {

// What a command that goes to the background does in its two processes; each is given a socket that
// leads to the other one.
struct Halves {
  std::function<int(int parent)> child;  // returns its exit status
  // Returns that of the command, or nothing when the child ended without a word about it.
  std::function<std::optional<int>(pid_t child, int other)> parent;
};

// Forks; while there is one thread. Returns in both processes, with what each of them exits with.
[[nodiscard]] int run_background(const std::string& name, const Output& output,
                                 const Halves& halves);

// In the child, which has started its tunnel or failed to: leaves the terminal if it has, and says
// which exit status that is. False when the parent is gone.
bool say_started(int exit, Log& log, int parent);

// One byte to the process at the other end of a socket. False when it is gone.
bool say(int other, unsigned char word);
// The other process's next word, or nothing when it is gone.
std::optional<unsigned char> hear(int other);

}  // namespace simplevpn
