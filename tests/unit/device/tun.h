// tun.h — TUN interfaces for tests, each in a network namespace of its own.
#pragma once

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <tunnel/device.h>

#include <cstring>
#include <string>

#include "support/catch.hpp"
#include "support/netns.h"
#include "support/packets.h"

namespace test {

using TunDevice = Owned<tunnel_device>;

inline std::int32_t open_tun(TunDevice& device, const char* name, std::uint32_t mtu = 0,
                             std::uint32_t flags = 0) {
  tunnel_tun_config config = TUNNEL_TUN_CONFIG_INIT;
  config.name = name;
  config.mtu = mtu;
  config.flags = flags;
  return tunnel_tun_open(&config, &device);
}

// Opens a TUN, or skips the test where that is not possible.
inline void need_tun(TunDevice& device, const char* name, std::uint32_t mtu = 0,
                     std::uint32_t flags = 0) {
  const std::int32_t status = open_tun(device, name, mtu, flags);
  if (status == TUNNEL_ERR_PERMISSION) throw Skip{"no permission to open /dev/net/tun"};
  if (status == TUNNEL_ERR_UNAVAILABLE) throw Skip{"there is no TUN driver"};
  REQUIRE(status == TUNNEL_OK);
}

// A TUN as another program opens it.
inline int foreign_tun(short flags) {
  const int fd = ::open("/dev/net/tun", O_RDWR);
  if (fd < 0) throw Skip{"/dev/net/tun does not open"};
  ifreq request{};
  std::strcpy(request.ifr_name, "lt-given");
  request.ifr_flags = flags;
  REQUIRE(::ioctl(fd, TUNSETIFF, &request) == 0);
  return fd;
}

inline std::int32_t take_over(TunDevice& device, int fd) {
  tunnel_tun_config config = TUNNEL_TUN_CONFIG_INIT;
  config.take_handle = 1;
  config.handle = fd;
  return tunnel_tun_open(&config, &device);
}

// With IPv4 alone, so that the kernel sends nothing of its own.
inline void bring_up(const std::string& name) {
  write_file("/proc/sys/net/ipv6/conf/" + name + "/disable_ipv6", "1");
  run_command("ip address add 10.9.0.1/24 dev " + name);
  run_command("ip link set " + name + " up");
}

}  // namespace test
