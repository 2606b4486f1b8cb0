// checks.h - the checks, in the order in which they are made: what comes first explains what comes
// later. Each adds what it found; nothing when it does not apply.
#pragma once

#include "facts.h"

namespace simplevpn::doctor {

void check_file(const Facts& facts, Findings& findings);
void check_keys(const Facts& facts, Findings& findings);
void check_allowed_ips(const Facts& facts, Findings& findings);
void check_privileges(const Facts& facts, Findings& findings);
void check_port(const Facts& facts, Findings& findings);
void check_clock(const Facts& facts, Findings& findings);
void check_endpoints(const Facts& facts, Findings& findings);
void check_reverse_path(const Facts& facts, Findings& findings);
void check_handshakes(const Facts& facts, Findings& findings);
void check_visitors(const Facts& facts, Findings& findings);

[[nodiscard]] Findings check_all(const Facts& facts);

}  // namespace simplevpn::doctor
