// event_text.h — events on the control socket, both directions.
//
// A client asks `x_events=NANOSECONDS` and an empty line; it gets what was kept since then, an
// `errno=0`, and from then on what happens. Each event is a few lines `key=value` and an empty one.
#pragma once

#include <tunnel/host/events.h>

#include <optional>
#include <string_view>

#include "base/base.h"

namespace tunnel::host {

inline constexpr std::string_view kEventsRequest = "x_events=";

// Of the request's first line; nothing when it is no such request.
std::optional<std::uint64_t> read_events_request(std::string_view line);

void write_notice(const tunnel_notice& notice, base::WipedBuffer& out);

// One block, without its empty line. False when it is none. Keys it does not know are skipped.
bool read_notice(std::string_view block, tunnel_notice& notice);

}  // namespace tunnel::host
