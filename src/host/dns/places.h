// places.h — where the files of name resolution lie; a test has its own.
#pragma once

#include <string>

namespace tunnel::host {

struct DnsPlaces {
  std::string etc = "/etc";
  std::string run = "/run";

  std::string resolv_conf() const { return etc + "/resolv.conf"; }
};

}  // namespace tunnel::host
