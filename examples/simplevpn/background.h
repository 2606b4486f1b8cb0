// background.h - a daemon that leaves its terminal, and the words between it and its parent.
#pragma once

#include <optional>

#include "log.h"

namespace simplevpn {

// Leaves standard input and output and the working directory behind.
void detach(Log& log);

// One byte to the process at the other end of a socket. False when it is gone.
bool say(int other, unsigned char word);
// The other process's next word, or nothing when it is gone.
std::optional<unsigned char> hear(int other);

}  // namespace simplevpn
