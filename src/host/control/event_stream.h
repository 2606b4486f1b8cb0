// event_stream.h — the client's end of a daemon's events.
#pragma once

#include <tunnel/host/events.h>

#include <string>

#include "base/base.h"

namespace tunnel::host {

class EventStream {
 public:
  static base::Result<EventStream> open(const std::string& directory, const std::string& name,
                                        std::uint64_t since_ns);

  [[nodiscard]] int handle() const { return daemon_.get(); }
  // 1, 0 or a negative status.
  std::int32_t next(tunnel_notice& notice);

 private:
  explicit EventStream(base::Descriptor daemon) : daemon_(std::move(daemon)) {}
  std::int32_t receive(int flags);
  std::int32_t wait_for_past();

  base::Descriptor daemon_;
  std::string text_;  // received and not yet taken
};

}  // namespace tunnel::host
