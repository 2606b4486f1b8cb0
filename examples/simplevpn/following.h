// following.h - the settings of a tunnel that runs: they follow the machine and the peers.
//
// Lives in the daemon, which may change the machine, and knows neither engine nor control socket:
// it is told what the packet process says. That may be said by an attacker, so the table of
// endpoints has a largest size. One thread.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include <tunnel/host/events.h>
#include <tunnel/host/settings.h>

#include "events.h"
#include "log.h"

namespace simplevpn {

class Following {
 public:
  // `announce` is given what those who listen to events shall hear.
  Following(Log& log, std::function<void(const tunnel_event&)> announce)
      : log_(log), announce_(std::move(announce)) {}

  // From the plan's application to its end; `settings` until then.
  void begin(tunnel_settings* settings);
  void end() { settings_ = nullptr; }

  // Readable when the machine has changed; -1 = nothing to wait for. Then call look().
  int handle() const { return settings_ == nullptr ? -1 : handle_; }
  void look();

  // The endpoint of a peer, or that it has none any more. Takes effect with settle(): the block
  // lets through what peers have then and nothing else.
  void set_endpoint(const std::uint8_t* public_key, const tunnel_address& endpoint);
  void remove_endpoint(const std::uint8_t* public_key);
  void settle();

  // These take effect at once.
  void set_peers(const tunnel_config* config);
  void set_mark(std::uint32_t mark);
  void set_port(std::uint16_t port);
  void set_resolvers(const std::vector<tunnel_address>& resolvers);

 private:
  void report(std::int32_t status, const tunnel_settings_fault& fault);
  void report_changes();
  void report_change(const tunnel_settings_change& change);

  Log& log_;
  const std::function<void(const tunnel_event&)> announce_;
  tunnel_settings* settings_ = nullptr;
  int handle_ = -1;
  std::map<PublicKey, tunnel_address> endpoints_;
  bool unsettled_ = false;
};

}  // namespace simplevpn
