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

Interrupt::Woken Interrupt::wait(int handle, int timeout_ms) const {
  pollfd waits[2] = {{signals_.get(), POLLIN, 0}, {handle, POLLIN, 0}};
  poll(waits, 2, timeout_ms);
  if (waits[0].revents != 0) return Woken::signal;
  return waits[1].revents != 0 ? Woken::data : Woken::time;
}

int Interrupt::exit_status() const {
  signalfd_siginfo info{};
  if (read(signals_.get(), &info, sizeof info) != sizeof info) return kInterrupted;
  return info.ssi_signo == SIGINT ? kInterrupted : kOk;
}

}  // namespace simplevpn
