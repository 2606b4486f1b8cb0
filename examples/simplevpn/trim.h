// trim.h — what a daemon keeps in memory while it only moves packets.
#pragma once

namespace simplevpn {

// Lets go of code and constants that only the start needed, and of memory that it has freed. What
// is needed again comes back from its file, page by page; breakpoints that a debugger has written
// into it do not. Any thread.
void trim_memory() noexcept;

}  // namespace simplevpn
