#include "background.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "handles.h"

namespace simplevpn {
namespace {

// Leaves standard input and output and the working directory behind.
void detach(Log& log) {
  log.move_to_syslog();
  const Descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (null.get() >= 0) dup2(null.get(), standard);
  }
  if (chdir("/") != 0) log.write(Level::warning, "working_directory_kept");
}

}  // namespace

int run_background(const std::string& name, const Output& output, const Halves& halves) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail(output,
                status_failure(output, TUNNEL_ERR_RESOURCES, "make a socket pair", kActivation));
  }
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    setsid();  // before it has a child of its own: what the terminal sends is for neither
    return halves.child(ends[1]);
  }
  close(ends[1]);
  const Descriptor other(ends[0]);
  if (child < 0) {
    return fail(output,
                status_failure(output, TUNNEL_ERR_RESOURCES, "make a process", kActivation));
  }
  if (const auto exit = halves.parent(child, other.get())) return *exit;
  waitpid(child, nullptr, 0);
  return fail(output, {.exit = kActivation,
                       .code = "E_DIED",
                       .message = "the daemon of " + name + " ended while it started"});
}

bool say_started(int exit, Log& log, int parent) {
  if (exit == kOk) detach(log);
  return say(parent, static_cast<unsigned char>(exit));
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
