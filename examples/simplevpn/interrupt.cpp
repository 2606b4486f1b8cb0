#include "interrupt.h"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "output.h"

namespace simplevpn {

Interrupt::Interrupt() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_.reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

Interrupt::Woken Interrupt::wait(const std::vector<int>& handles, int timeout_ms) const {
  std::vector<pollfd> waits{{signals_.get(), POLLIN, 0}};
  for (const int handle : handles) waits.push_back({handle, POLLIN, 0});
  const int ready = poll(waits.data(), waits.size(), timeout_ms);
  if (ready <= 0) return Woken::time;
  return waits[0].revents != 0 ? Woken::signal : Woken::data;
}

int Interrupt::exit_status() const {
  signalfd_siginfo info{};
  if (read(signals_.get(), &info, sizeof info) != sizeof info) return kInterrupted;
  return info.ssi_signo == SIGINT ? kInterrupted : kOk;
}

}  // namespace simplevpn
