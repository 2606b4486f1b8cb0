// protocol.h — first door of the room `protocol`: one peer's life.
//
// Wire layouts, the Noise handshake, sessions with their replay window, and timers. The second
// door, gate.h, guards what stands before any Diffie-Hellman: mac1, cookies, rate limiter.
#pragma once

#include "protocol/handshake.h"
#include "protocol/replay.h"
#include "protocol/session.h"
#include "protocol/timers.h"
#include "protocol/timestamp.h"
#include "protocol/wire.h"
