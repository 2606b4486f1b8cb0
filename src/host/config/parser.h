// parser.h — from the text of a wg-quick file to a Config.
#pragma once

#include <string_view>

#include "host/config/issue.h"
#include "host/config/model.h"

namespace tunnel::host {

inline constexpr std::size_t kLongestFile = std::size_t{64} << 20;
inline constexpr std::size_t kLongestLine = std::size_t{512} << 10;
inline constexpr std::size_t kMostWarnings = 100;  // later ones are counted only

// Fills `config` and returns TUNNEL_OK, or says in `issue` what is wrong; then `config` is to be
// thrown away. Keeps nothing of the text.
std::int32_t parse_config(std::string_view text, Config& config, tunnel_config_issue& issue);

// Appends a warning that is not about a line.
void warn(Config& config, const Words& words);

}  // namespace tunnel::host
