// completion.h - what a shell can complete, from the parser itself: there is no second list.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace simplevpn {

// The script that teaches "bash", "zsh" or "fish" the commands of `app`.
[[nodiscard]] std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace simplevpn
