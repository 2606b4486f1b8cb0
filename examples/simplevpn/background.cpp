#include "background.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "handles.h"

namespace simplevpn {

void detach(Log& log) {
  log.move_to_syslog();
  const Descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (null.get() >= 0) dup2(null.get(), standard);
  }
  if (chdir("/") != 0) log.write(Level::warning, "working_directory_kept");
}

bool say(int other, unsigned char word) {
  return send(other, &word, 1, MSG_NOSIGNAL) == 1;
}

std::optional<unsigned char> hear(int other) {
  unsigned char word = 0;
  ssize_t got = 0;
  do got = read(other, &word, 1);
  while (got < 0 && errno == EINTR);
  return got == 1 ? std::optional(word) : std::nullopt;
}

}  // namespace simplevpn
