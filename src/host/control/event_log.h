// event_log.h — the last events of a tunnel, numbered, for those who listen at the control socket.
//
// The daemon's thread adds, the control thread takes; the flag wakes the latter. Strangers can
// cause events of unknown keys, so these are limited; everything else only peers and we can.
#pragma once

#include <tunnel/host/events.h>

#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/base.h"
#include "host/config/config.h"

namespace tunnel::host {

class EventLog {
 public:
  static constexpr std::size_t kKept = 1024;

  explicit EventLog(base::WaitFlag news) : news_(std::move(news)) {}

  void add(const tunnel_event& event, std::uint64_t wall_ns);
  // `fault` says why the name of a peer's endpoint has no address, "" that it has one. What is
  // known already is no event.
  void looked_up(const PublicKey& peer, const std::string& fault, std::uint64_t wall_ns);
  [[nodiscard]] std::string fault_of(const PublicKey& peer) const;
  // A peer was removed: when it comes back, its first handshake is no rekey.
  void forget(const PublicKey& peer);

  // Readable after an event came, until rest() is called.
  [[nodiscard]] int handle() const { return static_cast<int>(news_.handle()); }
  void rest();

  // Those from `number` on; the number after the last one goes into `number`.
  [[nodiscard]] std::vector<tunnel_notice> from(std::uint64_t& number) const;
  // The number of the first one not before this time; of the next one to come when there is none.
  [[nodiscard]] std::uint64_t first_since(std::uint64_t wall_ns) const;

 private:
  [[nodiscard]] bool is_wanted(const tunnel_event& event);
  [[nodiscard]] std::uint32_t kind_of(const tunnel_event& event);
  void keep(tunnel_notice notice, std::uint64_t wall_ns);

  mutable std::mutex mutex_;  // guards everything below
  base::WaitFlag news_;
  std::uint64_t next_ = 1;
  std::deque<tunnel_notice> kept_;
  std::uint64_t unknown_from_ns_ = 0;  // monotonic: unknown keys before that are not kept
  std::unordered_map<PublicKey, std::uint64_t, PublicKeyHash> handshakes_;  // monotonic, of peers
  std::unordered_map<PublicKey, std::string, PublicKeyHash> faults_;        // of names of endpoints
};

}  // namespace tunnel::host
