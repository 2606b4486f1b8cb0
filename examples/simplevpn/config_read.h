// config_read.h - configuration files as commands read them.
#pragma once

#include <optional>
#include <string>

#include "handles.h"
#include "output.h"

namespace simplevpn {

// Reads a file, or says what is wrong with it and where.
[[nodiscard]] std::optional<Failure> read_config(const std::string& path, const Output& output,
                                                 ConfigHandle& config);

// SaveConfig = true
bool saves_itself(const tunnel_config* config);

// Prints warnings, each with its place in the file, for people.
void advise_warnings(const std::string& path, const Output& output, const tunnel_config* config);

}  // namespace simplevpn
