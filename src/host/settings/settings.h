// settings.h — door of the room `host/settings`: addresses, MTU and routes of one interface.
#pragma once

#include "host/settings/applier.h"
#include "host/settings/netlink.h"
#include "host/settings/plan.h"
