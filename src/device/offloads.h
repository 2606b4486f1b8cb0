// offloads.h — what a TUN gives and takes as one superpacket.
#pragma once

namespace tunnel::device {

struct Offloads {
  bool tcp = false;
  bool udp = false;  // since Linux 6.2
};

}  // namespace tunnel::device
