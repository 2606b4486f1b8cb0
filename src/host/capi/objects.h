// objects.h — what the opaque handles of tunnel/host/*.h are.
#pragma once

#include <tunnel/host/config.h>

#include "host/config/config.h"

struct tunnel_config {
  tunnel::host::Config content;
};
