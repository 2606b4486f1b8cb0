// endpoint_names.h - endpoints that are host names, from before the tunnel is up until it is down.
//
// As long as nothing was changed on the machine, its own resolver is asked. From then on it may ask
// through the tunnel; the resolvers of the uplink, remembered before, are asked instead.
#pragma once

#include <cstdint>
#include <vector>

#include <tunnel/tunnel.hpp>

#include "handles.h"
#include "log.h"
#include "routing.h"

namespace simplevpn {

class EndpointNames {
 public:
  // What is found is let through a kill switch.
  EndpointNames(Log& log, Endpoints& open) : log_(log), open_(open) {}

  // Before the plan: who answers for names without the tunnel.
  void learn(const tunnel_config* config);
  const std::vector<tunnel_address>& uplink() const { return uplink_; }

  // Begins to look names up. A status.
  std::int32_t start(tunnel_engine* engine, const tunnel_config* config);

  // Before the plan is applied. When it takes names or all packets into the tunnel, what was begun
  // may come to an end for some seconds; later questions are ours, with `mark`.
  void leave_system(const tunnel_settings* settings, std::uint32_t mark);

  // Null before start().
  tunnel_resolver* resolver() const { return resolver_.get(); }

  void event(const tunnel_event& event);
  void stop() { resolver_.reset(); }

 private:
  std::vector<tunnel_address> ask_uplink() const;
  void ask();
  static void on_resolved(void* self, const std::uint8_t* key, const char* host,
                          const tunnel_address* address, const char* reason);

  Log& log_;
  Endpoints& open_;
  ResolverHandle resolver_;
  std::vector<tunnel_address> own_;  // the tunnel's own name servers
  std::vector<tunnel_address> uplink_;
  std::uint32_t mark_ = 0;
  bool ours_ = false;  // questions are ours
};

}  // namespace simplevpn
