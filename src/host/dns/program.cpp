#include "host/dns/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "base/base.h"

namespace tunnel::host::dns {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kOutputLimit = 4096;
constexpr const char* kSystemPath = "/usr/sbin:/usr/bin:/sbin:/bin";

std::string search_path() {
  const char* path = std::getenv("PATH");
  const std::string own = path == nullptr ? "" : path;
  return own.empty() ? kSystemPath : own + ":" + kSystemPath;
}

bool is_program(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

struct Pipe {
  base::Descriptor reader;
  base::Descriptor writer;
};

base::Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    return base::Error{base::status_of(errno)};
  }
  return Pipe{base::Descriptor(ends[0]), base::Descriptor(ends[1])};
}

// A pipe that holds all of `input` already, its writing end closed.
base::Result<Pipe> pipe_with(std::string_view input) {
  auto pipe = make_pipe();
  if (!pipe) return pipe;
  if (!input.empty() && ::write(pipe->writer.get(), input.data(), input.size()) !=
                            static_cast<ssize_t>(input.size())) {
    return base::Error{TUNNEL_ERR_LIMIT};
  }
  ::fcntl(pipe->reader.get(), F_SETFL, 0);  // the program expects to be kept waiting
  pipe->writer = base::Descriptor();
  return pipe;
}

// The options of posix_spawn: standard streams, and signals as a fresh program expects them. A
// group of its own, so that a program that hangs is ended with all that it started.
class Launch {
 public:
  Launch(int input, int output) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;
  ~Launch() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  int start(const std::string& path, const std::vector<std::string>& command, pid_t& child) const {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    std::string path_variable = "PATH=" + search_path();
    std::string locale = "LC_ALL=C";
    const std::array<char*, 3> environment{path_variable.data(), locale.data(), nullptr};
    return ::posix_spawn(&child, path.c_str(), &actions_, &attributes_, arguments.data(),
                         environment.data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

void drain(int fd, std::string& output) {
  std::array<char, 1024> buffer;
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count <= 0) return;
    const std::size_t room = kOutputLimit - output.size();
    output.append(buffer.data(), std::min(room, static_cast<std::size_t>(count)));
  }
}

int milliseconds_until(Clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

// Waits for the end of the program itself, not of what it may have left in the background. False
// when time is up.
bool await(int child, int output, Clock::time_point end, std::string& text) {
  for (;;) {
    std::array<pollfd, 2> waits{{{child, POLLIN, 0}, {output, POLLIN, 0}}};
    const int ready = ::poll(waits.data(), waits.size(), milliseconds_until(end));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    drain(output, text);
    if (waits[0].revents != 0) return true;
    // The program closed its output and runs on: only its end is worth waiting for.
    if ((waits[1].revents & POLLHUP) != 0) output = -1;
  }
}

// Nothing where whoever runs us ignores SIGCHLD: then nobody is told how a program ended.
std::optional<int> exit_status(pid_t child) {
  int status = 0;
  pid_t ended = 0;
  do {
    ended = ::waitpid(child, &status, 0);
  } while (ended < 0 && errno == EINTR);
  if (ended != child) return std::nullopt;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void strip_end(std::string& text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
}

}  // namespace

std::string find_program(const std::string& name) {
  const std::string path = search_path();
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string folder = path.substr(begin, end - begin);
    begin = end + 1;
    if (folder.empty() || folder.front() != '/') continue;
    if (std::string candidate = folder + "/" + name; is_program(candidate)) return candidate;
  }
  return {};
}

ProgramResult run_program(const std::vector<std::string>& command, std::string_view input,
                          std::chrono::milliseconds limit) {
  const std::string path = find_program(command.front());
  if (path.empty()) return {ENOENT, 0, {}};
  auto in = pipe_with(input);
  auto out = make_pipe();
  if (!in || !out) return {EMFILE, 0, {}};
  ::fcntl(out->writer.get(), F_SETFL, 0);
  pid_t child = 0;
  const int error = Launch(in->reader.get(), out->writer.get()).start(path, command, child);
  if (error != 0) return {error, 0, {}};
  out->writer = base::Descriptor();
  ProgramResult result;
  // Not by pidfd_open: glibc 2.36 declares it for C only.
  const base::Descriptor end(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  if (!end.valid() || !await(end.get(), out->reader.get(), Clock::now() + limit, result.output)) {
    result.error = end.valid() ? ETIMEDOUT : EMFILE;
    ::kill(-child, SIGKILL);
  }
  const auto status = exit_status(child);
  result.status = status.value_or(0);
  if (!status && result.error == 0) result.error = ECHILD;
  strip_end(result.output);
  return result;
}

}  // namespace tunnel::host::dns
