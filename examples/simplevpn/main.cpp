#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "cli.h"
#include "output.h"

namespace {

// Every command may hold keys: no core dumps, no debugger of the same user. And the standard
// descriptors exist, so that no socket or TUN can get their numbers and receive log lines.
void harden() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
  int handle = 0;
  do handle = open("/dev/null", O_RDWR);
  while (handle >= 0 && handle <= STDERR_FILENO);
  if (handle > STDERR_FILENO) close(handle);
}

}  // namespace

int main(int count, char** arguments) {
  harden();
  if (count < 1) return simplevpn::kUsage;
  try {
    return simplevpn::run({arguments, arguments + count});
  } catch (const std::exception& error) {  // out of memory or of threads
    std::fprintf(stderr, "simplevpn: %s\n", error.what());
    return simplevpn::kFailure;
  }
}
