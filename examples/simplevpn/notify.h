// notify.h - tells systemd how the daemon does: sd_notify(3) without its library.
#pragma once

#include <string>

namespace simplevpn {

class Notifier {
 public:
  Notifier();  // takes NOTIFY_SOCKET out of the environment, so that hooks do not inherit it

  // Is somebody told, as systemd is by its services?
  bool is_heard() const noexcept { return !socket_.empty(); }

  // RELOADING=1, with the time that systemd wants with it. READY=1 ends it.
  void reloading() const;

  // "READY=1\nSTATUS=..."; nothing when nobody wants to know.
  void send(const std::string& state) const;

 private:
  std::string socket_;  // a path, or a name after "@"; "" = nobody
};

}  // namespace simplevpn
