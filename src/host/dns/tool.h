// tool.h — runs a tool for a change; what it said becomes the reason when it failed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/dns/places.h"
#include "host/system/system.h"

namespace tunnel::host::dns {

Answer run_tool(const std::vector<std::string>& command, std::string_view input = {});

}  // namespace tunnel::host::dns
