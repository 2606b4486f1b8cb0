#include "host/settings/watch.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <initializer_list>

#include "host/system/system.h"

namespace tunnel::host {
namespace {

// Invalid, with errno set, when one of the groups is not to be had.
base::Descriptor open_groups(int bus, std::initializer_list<int> groups) {
  base::Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, bus));
  sockaddr_nl any{};
  any.nl_family = AF_NETLINK;
  if (!socket.valid() ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof(any)) != 0) {
    return {};
  }
  for (const int group : groups) {
    if (::setsockopt(socket.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) !=
        0) {
      return {};
    }
  }
  return socket;
}

bool set_interest(int all, int fd, int how, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  return ::epoll_ctl(all, how, fd, &event) == 0;
}

// Whatever they said, and also when they said too much (ENOBUFS), everything is looked at.
void drain_socket(int fd) {
  std::array<char, 8192> bytes;
  for (;;) {
    const ssize_t size = ::recv(fd, bytes.data(), bytes.size(), MSG_TRUNC);
    if (size < 0 && errno != EINTR && errno != ENOBUFS) return;
  }
}

}  // namespace

base::Result<Watch> Watch::open() {
  Watch watch;
  const int error = watch.listen();
  if (error != 0) return base::Error{status_of(error)};
  return watch;
}

int Watch::listen() {
  routing_ = open_groups(
      NETLINK_ROUTE, {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
                      RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE});
  if (!routing_.valid()) return errno;
  filter_ = open_groups(NETLINK_NETFILTER, {NFNLGRP_NFTABLES});
  timer_ = base::Descriptor(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer_.valid()) return errno;
  all_ = base::Descriptor(::epoll_create1(EPOLL_CLOEXEC));
  if (!all_.valid()) return errno;
  for (const base::Descriptor* each : {&routing_, &filter_, &timer_}) {
    if (!each->valid()) continue;
    if (!set_interest(all_.get(), each->get(), EPOLL_CTL_ADD, EPOLLIN)) return errno;
  }
  return 0;
}

void Watch::drain() {
  drain_socket(routing_.get());
  if (filter_.valid()) drain_socket(filter_.get());
  std::uint64_t expirations = 0;
  (void)!::read(timer_.get(), &expirations, sizeof(expirations));
}

void Watch::hear(bool on) {
  for (const base::Descriptor* each : {&routing_, &filter_}) {
    if (!each->valid()) continue;
    (void)set_interest(all_.get(), each->get(), EPOLL_CTL_MOD, on ? EPOLLIN : 0u);
  }
}

// Before the epoch = now: a timer of zero would never expire.
void Watch::wake_at(Pace::Clock::time_point when) {
  itimerspec time{};
  if (when != Pace::Clock::time_point::max()) {
    const auto since =
        std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch());
    const std::int64_t ns = std::max<std::int64_t>(since.count(), 1);
    time.it_value.tv_sec = ns / 1'000'000'000;
    time.it_value.tv_nsec = ns % 1'000'000'000;
  }
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &time, nullptr);
}

// What is drained here is older than the look that follows.
bool Watch::due(Pace::Clock::time_point now) {
  drain();
  if (now >= pace_.next()) return true;
  hear(false);
  wake_at(pace_.next());
  return false;
}

std::vector<std::string> Watch::looked(const Pace::Look& look) {
  auto fights = pace_.looked(look);
  hear(true);
  wake_at(pace_.retry());
  return fights;
}

}  // namespace tunnel::host
