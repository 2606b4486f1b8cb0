// socket_file.h — the file of the control socket: made, recognised as ours, watched and removed.
#pragma once

#include <cstdint>
#include <string>

#include "base/base.h"

namespace tunnel::host {

inline constexpr const char* kSocketDirectory = "/var/run/wireguard";
inline constexpr const char* kSocketEnding = ".sock";

// "DIRECTORY/NAME.sock"
std::string socket_path(const std::string& directory, const std::string& name);

// Connects to a daemon; waits at most `timeout_ms` for a place in its queue. errno says why not:
// ENOENT and ECONNREFUSED mean that none lives there.
base::Result<base::Descriptor> connect_to(const std::string& path, std::uint32_t timeout_ms);

// Removes the socket of a daemon that is dead. IN_USE when it lives.
std::int32_t remove_dead_socket(const std::string& directory, const std::string& name);

class SocketFile {
 public:
  // Makes the directory (0700) and the socket (0600), and listens. A socket that nobody listens on
  // is replaced; one that somebody does is IN_USE.
  static base::Result<SocketFile> create(const std::string& directory, const std::string& name);

  // Goes on with a socket that somebody else made at that path and that listens.
  static base::Result<SocketFile> adopt(const std::string& directory, const std::string& name,
                                        base::Descriptor listener);

  // A socket that listens and whose file is the affair of another process.
  static base::Result<SocketFile> without_file(base::Descriptor listener);

  int listener() const noexcept { return listener_.get(); }
  int watch() const noexcept {
    return watch_.get();
  }  // readable when the directory changes; -1 = no file

  // Forgets what the watch told. Ask is_there() afterwards.
  void drain_watch() const noexcept;
  // True while the file is there and is the one that we made.
  bool is_there() const noexcept;
  // Removes the file if it is ours.
  void remove() const noexcept;

 private:
  std::int32_t recognise() noexcept;

  std::string path_;
  base::Descriptor listener_;
  base::Descriptor watch_;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

}  // namespace tunnel::host
