// events.cpp — the functions of tunnel/host/events.h for those who listen.
#include <tunnel/host/events.h>

#include <string>
#include <utility>

#include "host/control/control.h"
#include "host/system/system.h"

namespace base = tunnel::base;
namespace host = tunnel::host;

struct tunnel_events {
  host::EventStream stream;
};

int32_t tunnel_events_open(const char* directory, const char* name, uint64_t since_ns,
                           tunnel_events** events) {
  if (name == nullptr || events == nullptr) return TUNNEL_ERR_ARGUMENT;
  *events = nullptr;
  return host::guarded([&]() -> std::int32_t {
    const std::string where = directory == nullptr ? host::kSocketDirectory : directory;
    auto stream = host::EventStream::open(where, name, since_ns);
    if (!stream) return stream.status();
    *events = new tunnel_events{std::move(*stream)};
    return TUNNEL_OK;
  });
}

void tunnel_events_close(tunnel_events* events) {
  delete events;
}

int32_t tunnel_events_next(tunnel_events* events, tunnel_notice* notice) {
  if (events == nullptr || notice == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    tunnel_notice known{};
    const std::int32_t taken = events->stream.next(known);
    if (taken != 1) return taken;
    const std::int32_t status = base::write_sized(known, notice);
    return status == TUNNEL_OK ? 1 : status;
  });
}

int64_t tunnel_events_handle(const tunnel_events* events) {
  return events == nullptr ? -1 : events->stream.handle();
}
