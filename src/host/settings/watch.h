// watch.h — one descriptor that becomes readable when it is time to look at the machine again.
//
// The kernel says that links, addresses, routes, rules or the packet filter changed; what exactly
// is found out by looking. During a pause nothing wakes the owner; what was missed makes no
// difference.
#pragma once

#include "base/base.h"
#include "host/settings/pace.h"

namespace tunnel::host {

class Watch {
 public:
  static base::Result<Watch> open();

  int handle() const noexcept { return all_.get(); }

  // True when it is time to look. Otherwise the descriptor becomes readable when it is.
  bool due(Pace::Clock::time_point now);
  std::vector<std::string> looked(const Pace::Look& look);

 private:
  Watch() = default;
  int listen();
  void drain();
  void hear(bool on);
  void wake_at(Pace::Clock::time_point when);

  base::Descriptor all_;      // epoll
  base::Descriptor routing_;  // netlink: links, addresses, routes, rules
  base::Descriptor filter_;   // netlink: nft tables; invalid where that is not allowed
  base::Descriptor timer_;
  Pace pace_;
};

}  // namespace tunnel::host
