// control.h — door of the room `host/control`: the WireGuard control socket, both ends.
//
// The daemon's end:  Server (thread, poll loop) -> Connection (requests of one client)
//                    -> CoreReader (asks the engine's thread) -> uapi_write (text).
//                    EventLog (what happened) -> event_text (text).
// The other end:     client.h -> uapi_read (text to Snapshot); event_stream.h -> event_text.
#pragma once

#include "host/control/client.h"
#include "host/control/event_stream.h"
#include "host/control/server.h"
#include "host/control/take_over.h"
#include "host/control/uapi_read.h"
