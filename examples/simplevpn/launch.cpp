// launch.cpp - `up`: in the foreground, or in the background once the tunnel works.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "commands.h"
#include "daemon.h"
#include "target.h"

namespace simplevpn {
namespace {

Level lowest_level(const Up& options) {
  if (options.verbosity < 0) return Level::warning;
  return options.verbosity == 0 ? Level::info : Level::debug;
}

int run_foreground(const Up& options, const Target& target, const Output& output) {
  Log log(target.name, options.json_log, lowest_level(options));
  Daemon daemon(target, output, log);
  const int exit = daemon.start();
  return exit == kOk ? daemon.run() : exit;
}

// Leaves terminal, session and working directory behind.
void detach(Log& log) {
  setsid();
  log.move_to_syslog();
  const Descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (null.get() >= 0) dup2(null.get(), standard);
  }
  if (chdir("/") != 0) log.write(Level::warning, "working_directory_kept");
}

// The child: starts the tunnel, tells the parent how that went, and goes on by itself.
int run_child(const Up& options, const Target& target, const Output& output, int parent) {
  Log log(target.name, options.json_log, lowest_level(options));
  Daemon daemon(target, output, log);
  const int exit = daemon.start();
  if (exit == kOk) detach(log);
  const auto answer = static_cast<unsigned char>(exit);
  // A parent that was interrupted is not there to read: the tunnel stays down then.
  if (write(parent, &answer, 1) != 1) return kInterrupted;
  close(parent);
  return exit == kOk ? daemon.run() : exit;
}

// The parent: the child's first word is our exit status.
int wait_for_child(pid_t child, int pipe_end, const Target& target, const Output& output) {
  unsigned char answer = 0;
  ssize_t got = 0;
  do got = read(pipe_end, &answer, 1);
  while (got < 0 && errno == EINTR);
  if (got != 1) {
    waitpid(child, nullptr, 0);
    return fail(output, {.exit = kActivation,
                         .code = "E_DIED",
                         .message = "the daemon of " + target.name + " ended while it started"});
  }
  if (answer == kOk) advise(output, target.name + " is up");
  return answer;
}

int run_background(const Up& options, const Target& target, const Output& output) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return fail(output, status_failure(output, TUNNEL_ERR_RESOURCES, "make a pipe", kActivation));
  }
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    return run_child(options, target, output, ends[1]);
  }
  close(ends[1]);
  const Descriptor reader(ends[0]);
  if (child > 0) return wait_for_child(child, reader.get(), target, output);
  return fail(output, status_failure(output, TUNNEL_ERR_RESOURCES, "make a process", kActivation));
}

}  // namespace

int up(const Up& options, const Output& output) {
  if (options.config.empty() && !options.plain.chosen) {
    return fail(output, {.exit = kUsage,
                         .code = "E_USAGE",
                         .message = "CONF is required",
                         .hint = "simplevpn init server|client writes a configuration"});
  }
  Target target;
  const auto failure = options.plain.chosen ? make_plain_target(options, target)
                                            : find_target(options.config, target);
  if (failure) return fail(output, *failure);
  return options.foreground ? run_foreground(options, target, output)
                            : run_background(options, target, output);
}

}  // namespace simplevpn
