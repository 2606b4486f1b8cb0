// dns_support.h — a machine's files of name resolution in a scratch directory, and stand-ins for
// its tools in front of PATH.
#pragma once

#include <stdlib.h>
#include <tunnel/host/text.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host/dns/dns.h"
#include "scratch.h"
#include "support/catch.hpp"

namespace tunnel::test {

inline tunnel_address ip(std::string_view text) {
  tunnel_address address{};
  REQUIRE(tunnel_address_from_text(text.data(), text.size(), &address) == TUNNEL_OK);
  return address;
}

// etc/, run/ and bin/ of a machine. The tools fail until they are given something to do, so that
// no test ever runs those of the machine that it runs on.
class Machine {
 public:
  Machine() {
    const char* path = ::getenv("PATH");
    path_before_ = path == nullptr ? "" : path;
    for (const char* folder : {"etc", "run", "bin"}) {
      std::filesystem::create_directory(scratch_.file(folder));
    }
    for (const char* name : {"resolvectl", "nmcli", "resolvconf"}) tool(name, "exit 1");
    ::setenv("PATH", (scratch_.file("bin") + ":" + path_before_).c_str(), 1);
  }
  ~Machine() { ::setenv("PATH", path_before_.c_str(), 1); }

  const Scratch& files() const { return scratch_; }
  host::DnsPlaces places() const { return {scratch_.file("etc"), scratch_.file("run")}; }

  // A tool that logs its words and then runs `script`, with the log's path in $log.
  void tool(const std::string& name, const std::string& script) const {
    const std::string log = scratch_.file("log");
    scratch_.write("bin/" + name,
                   "#!/bin/sh\nlog=" + log + "\necho " + name + " \"$@\" >>$log\n" + script + "\n",
                   0755);
  }
  std::string log() const { return scratch_.read("log"); }
  void forget() const { scratch_.write("log", ""); }

  void folder(const std::string& name) const {
    std::filesystem::create_directories(scratch_.file(name));
  }
  void resolv_conf(std::string_view text) const { scratch_.write("etc/resolv.conf", text, 0644); }
  std::string resolv_conf() const { return scratch_.read("etc/resolv.conf"); }
  void link(const std::string& name, const std::string& target) const {
    std::filesystem::create_symlink(target, scratch_.file(name));
  }

 private:
  Scratch scratch_;
  std::string path_before_;
};

inline host::ResolverStep step(host::ResolverStep::Backend backend) {
  return {backend, "wg-test", {ip("10.9.0.1"), ip("fd09::1")}, {"example.com"}, true};
}

}  // namespace tunnel::test
