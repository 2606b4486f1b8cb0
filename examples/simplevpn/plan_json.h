// plan_json.h - what `--dry-run` says to programs: docs/schema/plan.json.
#pragma once

#include <string>

#include <tunnel/host/settings.h>

namespace simplevpn {

// Ready to print, with final newline.
[[nodiscard]] std::string plan_json(const tunnel_settings* settings, const std::string& name);

}  // namespace simplevpn
