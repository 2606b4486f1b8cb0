// sync.h — makes a running tunnel what a configuration says, by the differences only, so that
// sessions are kept.
#pragma once

#include <tunnel/host/config.h>

#include <string>

#include "base/base.h"
#include "host/control/uapi_read.h"

namespace tunnel::host {

// The lines of the `set=1` request, without its first and its last; empty when nothing differs.
// Nobody says which name an endpoint came from, so names are always set: the same one again changes
// nothing. Keys of our own are used only with a daemon that is ours. What the file does not say
// about port and mark stays as it is.
base::WipedBuffer differences(const Snapshot& now, const tunnel_config* wanted);

// Any thread.
std::int32_t sync_daemon(const std::string& directory, const std::string& name,
                         const tunnel_config* wanted, std::uint32_t timeout_ms);

}  // namespace tunnel::host
