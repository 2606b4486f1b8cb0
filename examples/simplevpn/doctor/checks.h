// checks.h - the checks, in the order in which they are made: what comes first explains what comes
// later. Each adds what it found; nothing when it does not apply.
#pragma once

#include "facts.h"

namespace simplevpn::doctor {

// checks.cpp: what can be seen without a packet
void check_file(const Facts& facts, Findings& findings);
void check_keys(const Facts& facts, Findings& findings);
void check_allowed_ips(const Facts& facts, Findings& findings);
void check_daemon(const Facts& facts, Findings& findings);
void check_left(const Facts& facts, Findings& findings);
void check_privileges(const Facts& facts, Findings& findings);
void check_port(const Facts& facts, Findings& findings);
void check_clock(const Facts& facts, Findings& findings);
void check_ipv6_off(const Facts& facts, Findings& findings);
void check_endpoints(const Facts& facts, Findings& findings);
void check_ways_left_out(const Facts& facts, Findings& findings);
void check_reverse_path(const Facts& facts, Findings& findings);

// ways.cpp: where packets go while the tunnel runs, and where they must not
void check_mtu(const Facts& facts, Findings& findings);
void check_in_force(const Facts& facts, Findings& findings);
void check_forwarding(const Facts& facts, Findings& findings);
void check_scheme(const Facts& facts, Findings& findings);
void check_kill_switch(const Facts& facts, Findings& findings);
void check_ipv6_leak(const Facts& facts, Findings& findings);
void check_names(const Facts& facts, Findings& findings);

// handshakes.cpp
void check_handshakes(const Facts& facts, Findings& findings);
void check_data(const Facts& facts, Findings& findings);
void check_visitors(const Facts& facts, Findings& findings);

// What concerns every tunnel of this machine.
[[nodiscard]] Findings check_machine(const Facts& facts);
[[nodiscard]] Findings check_all(const Facts& facts);

}  // namespace simplevpn::doctor
