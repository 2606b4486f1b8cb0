// control.h — door of the room `host/control`: the WireGuard control socket, both ends.
//
// The daemon's end:  Server (thread, poll loop) -> Connection (requests of one client)
//                    get: CorePiece (peers, through CoreAccess) -> uapi_write (text)
//                    set: SetParser (text) -> Changer (through CoreAccess)
//                    EventLog (what happened) -> event_text (text).
// The other end:     client.h -> uapi_read (text to Snapshot); event_stream.h -> event_text.
#pragma once

#include "host/control/client.h"
#include "host/control/event_stream.h"
#include "host/control/server.h"
#include "host/control/socket_file.h"
#include "host/control/sync.h"
#include "host/control/take_over.h"
#include "host/control/uapi_read.h"
