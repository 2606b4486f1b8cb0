// packet_child.h - the packet process as its daemon sees it: started by a fork, heard, told, and
// waited for. It may be in the hands of an attacker: nothing here waits for it for ever.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "channel.h"

namespace simplevpn {

class PacketChild {
 public:
  PacketChild() = default;
  PacketChild(const PacketChild&) = delete;
  PacketChild& operator=(const PacketChild&) = delete;
  ~PacketChild() { end(); }

  // Forks. The child gives `run` its end of the channel and exits with what that returns; it
  // keeps none of the `inherited` descriptors. Call it while there is one thread. A status.
  std::int32_t start(const std::vector<int>& inherited,
                     const std::function<int(const Channel&)>& run);

  bool lives() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  int handle() const { return channel_.handle(); }  // readable when there is something to hear

  // A word that it cannot take is lost: it does not read, and will be killed for that some day.
  void tell(const Message& message) const { static_cast<void>(channel_.try_send(message)); }
  void tell(Word word) const;

  // What it said. Nothing = nothing for now, or it is gone: then lives() is false.
  [[nodiscard]] std::optional<Message> hear();

  // Waits until there is something to hear; false when that takes longer.
  [[nodiscard]] bool wait(int timeout_ms) const;

  void kill();  // at once; lives() is false then
  void end();   // hangs up, waits for its exit, kills it when that takes too long

  // How it came to its end: its exit status, or -1 and what how_it_ended() says.
  int exit_status() const;
  std::string how_it_ended() const;

 private:
  void reap();

  Channel channel_;
  pid_t pid_ = 0;   // 0 = none, or waited for
  int result_ = 0;  // of waitpid
};

}  // namespace simplevpn
