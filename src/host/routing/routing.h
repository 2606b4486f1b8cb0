// routing.h — door of the room `host/routing`: what has to change on a machine so that packets go
// through the tunnel, or through us to the Internet. Pure: a request and a machine in, steps out.
#pragma once

#include "host/routing/plan.h"
#include "host/routing/request.h"
