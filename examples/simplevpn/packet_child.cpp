#include "packet_child.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "output.h"

namespace simplevpn {
namespace {

constexpr int kPatienceMs = 2000;  // for its exit

// Never returns: what the stack above holds is the daemon's.
[[noreturn]] void run_child(const Channel& channel, const std::function<int(const Channel&)>& run) {
  prctl(PR_SET_NAME, "simplevpn-pkt");
  int exit = kFailure;
  try {
    exit = run(channel);
  } catch (const std::exception& error) {  // out of memory or of threads
    std::fprintf(stderr, "simplevpn: %s\n", error.what());
  }
  std::exit(exit);
}

}  // namespace

std::int32_t PacketChild::start(const std::vector<int>& inherited,
                                const std::function<int(const Channel&)>& run) {
  Channel theirs;
  const std::int32_t status = Channel::make(channel_, theirs);
  if (status != TUNNEL_OK) return status;
  std::fflush(nullptr);  // or both would write what waits
  pid_ = fork();
  if (pid_ < 0) return TUNNEL_ERR_RESOURCES;
  if (pid_ > 0) return TUNNEL_OK;
  pid_ = 0;
  channel_.close();
  for (const int handle : inherited) close(handle);
  run_child(theirs, run);
}

void PacketChild::tell(Word word) const {
  Message message;
  message.word = word;
  tell(message);
}

std::optional<Message> PacketChild::hear() {
  Message message;
  if (!lives()) return {};
  const Channel::Got got = channel_.receive(message);
  if (got == Channel::Got::message) return message;
  if (got == Channel::Got::closed) end();
  return {};
}

bool PacketChild::wait(int timeout_ms) const {
  pollfd one{handle(), POLLIN, 0};
  return poll(&one, 1, timeout_ms) > 0;
}

void PacketChild::kill() {
  if (!lives()) return;
  ::kill(pid_, SIGKILL);
  reap();
}

void PacketChild::end() {
  channel_.close();
  if (!lives()) return;
  const Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  pollfd one{process.get(), POLLIN, 0};
  if (poll(&one, 1, kPatienceMs) <= 0) ::kill(pid_, SIGKILL);
  reap();
}

void PacketChild::reap() {
  while (waitpid(pid_, &result_, 0) < 0 && errno == EINTR) continue;
  pid_ = 0;
  channel_.close();
}

int PacketChild::exit_status() const {
  return WIFEXITED(result_) ? WEXITSTATUS(result_) : -1;
}

std::string PacketChild::how_it_ended() const {
  if (WIFEXITED(result_)) return "exit status " + std::to_string(WEXITSTATUS(result_));
  return "signal " + std::to_string(WTERMSIG(result_)) + ", " + strsignal(WTERMSIG(result_));
}

}  // namespace simplevpn
