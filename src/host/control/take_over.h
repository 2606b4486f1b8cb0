// take_over.h — what a running tunnel has, written into the text of its file.
#pragma once

#include "host/config/config.h"
#include "host/control/uapi_read.h"

namespace tunnel::host {

// Makes the document say what the snapshot says; `config` is what it says now. Lines that are right
// already are not touched, and endpoints that are host names stay.
void take_over(const Snapshot& snapshot, const Config& config, Document& document);

}  // namespace tunnel::host
