// schedule.h — when a name is looked up, and which of its addresses a peer gets. Time is an
// argument; nothing here waits, asks or sends.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/config/config.h"
#include "host/resolver/lookup.h"

namespace tunnel::host {

using Clock = std::chrono::steady_clock;

struct Pauses {
  Clock::duration first = std::chrono::seconds(1);     // after the first failed lookup; it doubles
  Clock::duration longest = std::chrono::seconds(60);  // up to this
  Clock::duration patience = std::chrono::seconds(7);  // for a session with an address; longer than
                                                       // the five seconds between two initiations
};

// One peer's name.
class Name {
 public:
  Name(const PublicKey& peer, std::string host, std::uint16_t port, Clock::time_point now)
      : peer_(peer), host_(std::move(host)), port_(port), due_(now) {}

  const PublicKey& peer() const noexcept { return peer_; }
  const std::string& host() const noexcept { return host_; }
  std::uint16_t port() const noexcept { return port_; }
  bool same_place(const std::string& host, std::uint16_t port) const noexcept {
    return host_ == host && port_ == port;
  }
  Clock::time_point due() const noexcept { return due_; }  // max() = never

  // What is to be done when it is due: the address to try next, or a lookup when there is none.
  std::optional<tunnel_address> next_address(const Pauses& pauses, Clock::time_point now);
  // Takes the result of a lookup. Ask for next_address() at once when it has addresses.
  void looked_up(const LookupResult& result, const Pauses& pauses, Clock::time_point now);

  void session_made() noexcept;                   // the address is good
  bool asked() const noexcept { return asked_; }  // a lookup has ended, in whatever way
  void handshake_failed(Clock::time_point now) noexcept;
  void network_changed(Clock::time_point now) noexcept;
  void ask_anew(Clock::time_point now) noexcept;  // what others have answered counts no more

 private:
  void pause(const Pauses& pauses, Clock::time_point now) noexcept;

  PublicKey peer_;
  std::string host_;
  std::uint16_t port_;
  std::vector<tunnel_address> addresses_;
  std::size_t next_ = 0;  // of addresses_
  bool good_ = false;     // a session came about with the last address
  bool asked_ = false;
  tunnel_address last_good_{};  // stays in the round, whatever is answered later
  Clock::duration pause_{};
  Clock::time_point due_;
};

}  // namespace tunnel::host
