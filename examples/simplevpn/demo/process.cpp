#include "process.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <ctime>

namespace simplevpn::demo {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

Descriptor::~Descriptor() {
  if (handle_ >= 0) close(handle_);
}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    end();
    pid_ = std::exchange(other.pid_, -1);
  }
  return *this;
}

Process Process::start(const std::function<int()>& body) {
  std::fflush(nullptr);
  const pid_t parent = getpid();
  Process child;
  child.pid_ = fork();
  if (child.pid_ != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it died before the line above
  const int status = body();
  std::fflush(nullptr);
  _exit(status);
}

std::optional<int> Process::wait(double seconds) {
  if (pid_ < 0) return 1;
  const Descriptor watch(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  pollfd ready{watch.get(), POLLIN, 0};
  if (poll(&ready, 1, static_cast<int>(seconds * 1000)) == 0) return {};
  int status = 0;
  if (waitpid(pid_, &status, 0) != pid_) return 1;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool Process::running() {
  return pid_ >= 0 && !wait(0);
}

void Process::end() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

int become(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  std::fprintf(stderr, "%s cannot be run\n", arguments[0]);
  return 127;
}

double now_s() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void pause_ms(unsigned milliseconds) {
  poll(nullptr, 0, static_cast<int>(milliseconds));
}

bool wait_until(double seconds, unsigned interval_ms, const std::function<bool()>& condition) {
  const double end = now_s() + seconds;
  while (!condition()) {
    if (now_s() > end) return false;
    pause_ms(interval_ms);
  }
  return true;
}

}  // namespace simplevpn::demo
