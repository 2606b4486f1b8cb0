// system.h — door of the room `host/system`: errors of the system, files, and texts that go into
// both. What every host room needs and none should write twice.
#pragma once

#include "base/base.h"
#include "host/system/answer.h"
#include "host/system/domain.h"
#include "host/system/files.h"
#include "host/system/locked_file.h"
#include "host/system/network.h"
#include "host/system/status.h"
#include "host/system/words.h"

namespace tunnel::host {

using base::guarded;

}  // namespace tunnel::host
