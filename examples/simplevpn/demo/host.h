// host.h - a host that exists only as namespaces: a network and a mount namespace of its own.
//
// A network namespace alone would not do: control socket and state file are files, and would be
// shared with the machine. So /run and /var/lib/simplevpn are fresh and empty in every host. The
// namespaces have no name in the file system; descriptors and processes hold them, and with the
// last of these they vanish.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "process.h"

namespace simplevpn::demo {

struct Outcome {
  int status = 0;
  std::string output;  // both streams
};

class Host {
 public:
  // Errors: nothing, and errno. The caller is root of its user namespace, with one thread, and its
  // mount namespace does not propagate to the machine's.
  static std::optional<Host> create(std::string name);

  // Runs `body` in a child inside the host.
  Process start(const std::function<int()>& body) const;

  // Runs a program to its end, at most ten seconds.
  Outcome run(const std::vector<std::string>& command, const std::string& input = "") const;

  // Calls `open` in the host's network; a socket made there stays there.
  Descriptor open_socket(const std::function<int()>& open) const;

  const std::string& name() const { return name_; }
  int network() const { return network_.get(); }
  int mounts() const { return mounts_.get(); }

 private:
  Host(std::string name, Descriptor network, Descriptor mounts)
      : name_(std::move(name)), network_(std::move(network)), mounts_(std::move(mounts)) {}
  bool enter() const;

  std::string name_;
  Descriptor network_;
  Descriptor mounts_;
};

// Writes a file that exists, such as /proc/sys/…. False, and errno, when that fails.
bool write_file(const std::string& path, const std::string& text);
std::string read_file(const std::string& path);  // "" when that fails

}  // namespace simplevpn::demo
