// gather.h - finds out what doctor wants to know. Changes nothing on the machine.
#pragma once

#include <string>

#include "facts.h"

namespace simplevpn::doctor {

// What of the machine matters to any tunnel.
void gather_machine(Facts& facts);

// `target` is a file, or the name of a tunnel that runs or stands in /etc/wireguard. False when
// there is neither, and
// nothing was left by one. `peer` is the one that matters, "" = all.
[[nodiscard]] bool gather(const std::string& target, const std::string& peer, Facts& facts);

}  // namespace simplevpn::doctor
