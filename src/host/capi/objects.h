// objects.h — what the opaque handles of tunnel/host/*.h are.
#pragma once

#include <tunnel/host/config.h>

#include "host/config/config.h"
#include "host/control/control.h"

struct tunnel_config {
  tunnel::host::Config content;
};

struct tunnel_snapshot {
  tunnel::host::Snapshot content;
};
