// resolver.h — door of the room `host/resolver`: endpoints that are host names.
#pragma once

#include <tunnel/host/resolver.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "host/resolver/own_query.h"
#include "host/resolver/schedule.h"

namespace tunnel::host {

// A thread that looks names up and gives peers their addresses. A lookup cannot be interrupted, so
// thread and owner share the work to do, and the thread may survive its owner for a while.
class Resolver {
 public:
  Resolver(const tunnel_resolver_config& config, Lookup lookup, const Pauses& pauses);
  ~Resolver();  // never waits for a lookup

  void add(const PublicKey& peer, const std::string& host, std::uint16_t port);
  void remove(const PublicKey& peer);
  void event(const tunnel_event& event);
  // From now on asks in this way, at once for names that have no session.
  void use(Lookup lookup);
  // Waits until every name was looked up once. False when `limit` has passed before.
  bool wait(std::chrono::milliseconds limit);

 private:
  class Work;

  std::shared_ptr<Work> work_;
  std::thread thread_;
};

}  // namespace tunnel::host
