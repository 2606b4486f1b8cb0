// machine.h — door of the room `host/machine`: what is there now, as a plain value.
//
// Read once, then looked at: a planner gets a Machine and nothing else, so that a test can make one
// by hand. Reading changes nothing, and needs no privileges but for the packet filter.
#pragma once

#include "host/machine/prefix.h"
#include "host/machine/snapshot.h"
